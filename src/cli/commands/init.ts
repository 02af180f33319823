import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createBase } from '../../app.ts'
import { renderConfigSchema } from '../../config/render-schema.ts'
import { WeirError } from '../../core/error.ts'
import { configTemplate, schemaName } from '../../scaffold/config-template.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import { defaultConfigPath } from '../setup.ts'

/** `weir init`: the file, and beside it its schema, so that editors know this release's own keys without a network. */
export async function init(
  { output, configPath: path = defaultConfigPath }: CommandContext,
  { force = false }: { readonly force?: boolean },
): Promise<number> {
  const { connectors, egress } = createBase({ hostEnv: {} })
  const schemaPath = join(dirname(path), schemaName)
  write(path, configTemplate, force)
  write(schemaPath, `${JSON.stringify(renderConfigSchema(connectors), undefined, 2)}\n`, true)
  await egress.close()
  if (output.isJson) output.json({ created: [path, schemaPath] })
  const named = path === defaultConfigPath ? '' : ` --config ${path}`
  output.note(`Wrote ${path}, and ${schemaPath} for your editor. Now:

  1. Put your own systems into ${path}.
  2. weir validate${named}    tells everything that is wrong with it
  3. weir dev${named}         serves it, and loads it again when it changes`)
  return exits.ok
}

/** Never over a file that is there, whoever made it in the meantime. */
function write(path: string, text: string, force: boolean): void {
  try {
    writeFileSync(path, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    throw explain(path, error as NodeJS.ErrnoException)
  }
}

function explain(path: string, { code }: NodeJS.ErrnoException): WeirError {
  if (code === 'EEXIST') {
    return new WeirError('INVALID_PARAMS', `${path} is there already.`, {
      hint: 'Keep it, or overwrite it with --force.',
    })
  }
  return new WeirError('INVALID_PARAMS', `${path} cannot be written (${code ?? 'unknown cause'}).`, {
    hint: 'Choose a place that exists and is yours, with --config.',
  })
}
