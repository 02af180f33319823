import { resolve } from 'node:path'
import { configBytesMax } from '../../config/read-document.ts'
import { readText, UnreadableError } from '../../config/read-text.ts'
import { WeirError } from '../../core/error.ts'

/** The configuration as it is written, references and all. Throws CONFIG_INVALID and CONFIG_NOT_FOUND. */
export function readConfigText(path: string): string {
  try {
    return readText(resolve(path), configBytesMax)
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    throw new WeirError(
      error.isContent ? 'CONFIG_INVALID' : 'CONFIG_NOT_FOUND',
      `${path}: ${error.message}.`,
      {
        hint: 'Give the path of a configuration with --config.',
      },
    )
  }
}
