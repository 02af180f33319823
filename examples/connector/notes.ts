import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { defineConnector, WeirError } from 'weir/connector'
import { z } from 'zod'

const config = z.strictObject({
  folder: z.string().min(1).describe('Folder of the notes; relative to the config file.'),
})

// A name that fits this pattern cannot lead out of the folder.
const name = z.string().regex(/^[a-z0-9-]{1,64}$/)
const noInput = z.strictObject({})
const readInput = z.strictObject({ name: name.describe('Which note, as list_notes names it.') })

/** Notes as text files: one tool that lists them, one that reads one. */
export const notes = defineConnector<z.infer<typeof config>>({
  type: 'notes',
  summary: 'Text files of one folder, to be read.',
  config,
  async open({ folder }, { baseDir, signal }) {
    signal.throwIfAborted()
    const path = resolve(baseDir, folder)
    const targets = [createListNotes(path), createReadNote(path)]
    return {
      targets: () => targets,
      async check(aborted) {
        aborted.throwIfAborted()
        await listNotes(path)
      },
      async close() {},
    }
  },
})

function createListNotes(path: string) {
  return {
    kind: 'tool' as const,
    name: 'list_notes',
    description: 'Lists the names of all notes.',
    effect: 'read' as const,
    input: noInput,
    run: async () => ({ structuredContent: { notes: await listNotes(path) } }),
  }
}

function createReadNote(path: string) {
  return {
    kind: 'tool' as const,
    name: 'read_note',
    description: 'Reads one note.',
    effect: 'read' as const,
    input: readInput,
    async run({ name: note }: z.infer<typeof readInput>, { signal }: { signal: AbortSignal }) {
      const text = await readNote(join(path, `${note}.txt`), note, signal)
      return { content: [{ type: 'text', text }] }
    },
  }
}

async function listNotes(path: string): Promise<string[]> {
  try {
    const files = await readdir(path)
    const names = files.filter((file) => file.endsWith('.txt')).map((file) => file.slice(0, -'.txt'.length))
    return names.filter((found) => name.safeParse(found).success).sort()
  } catch (cause) {
    throw new WeirError('CONNECTION_UNAVAILABLE', 'The folder of the notes cannot be read.', {
      hint: 'Ask the operator to check its `folder`.',
      cause,
    })
  }
}

async function readNote(file: string, note: string, signal: AbortSignal): Promise<string> {
  try {
    return await readFile(file, { encoding: 'utf8', signal })
  } catch (cause) {
    signal.throwIfAborted()
    throw new WeirError('INVALID_INPUT', `There is no note ${JSON.stringify(note)}.`, {
      hint: 'list_notes names those there are.',
      cause,
    })
  }
}
