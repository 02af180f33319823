import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { WeirError } from '../../core/error.ts'
import { isObject, parseJson } from '../../core/parse-json.ts'
import { type Definition, readFileDefinition } from './definition.ts'

const fileBytesMax = 4 * 1024 * 1024
const fileLimits = { depthMax: 64, elementsMax: 500_000 }
/** Of all files together; a server may say as many again. */
const definitionsMax = 10_000

/**
 * Every definition of the files, in their order (D4-033). All of them or none: throws CONFIG_INVALID naming the file,
 * the tool and what is wrong with it.
 */
export async function readDefinitionFiles(
  files: readonly string[],
  baseDir: string,
): Promise<readonly Definition[]> {
  const byName = new Map<string, Definition>()
  for (const file of files) {
    for (const value of [await readJsonFile(file, baseDir)].flat() as unknown[]) {
      const definition = readOne(value, file)
      if (byName.has(definition.name)) throw invalid(`${file} defines the tool ${definition.name} again.`)
      if (byName.size >= definitionsMax) throw invalid(`There are more than ${definitionsMax} definitions.`)
      byName.set(definition.name, definition)
    }
  }
  return [...byName.values()]
}

async function readJsonFile(file: string, baseDir: string): Promise<unknown> {
  const path = resolve(baseDir, file)
  try {
    // Other kinds of files may never end, or only end when somebody writes.
    const found = await stat(path)
    if (!found.isFile()) throw new Error('it is not a file')
    if (found.size > fileBytesMax) throw new Error(`it has more than ${fileBytesMax} bytes`)
    return parseJson(await readFile(path, 'utf8'), fileLimits)
  } catch (cause) {
    throw invalid(`The definitions ${file} cannot be read: ${(cause as Error).message}`, cause)
  }
}

function readOne(value: unknown, file: string): Definition {
  try {
    return readFileDefinition(value)
  } catch (cause) {
    const named = isObject(value) && typeof value['name'] === 'string' ? value['name'] : 'without a name'
    const { message } = cause as Error
    const [, schemaFault] = /^Invalid JSON Schema: (.*)$/s.exec(message) ?? []
    const where = `${file}, tool ${named.slice(0, 100)}`
    if (schemaFault === undefined) throw invalid(`${where}: ${message}.`, cause)
    throw invalid(`Invalid JSON Schema: ${where}: ${schemaFault}.`, cause)
  }
}

function invalid(message: string, cause?: unknown): WeirError {
  return new WeirError('CONFIG_INVALID', message, { hint: 'Correct the file of `definitions`.', cause })
}
