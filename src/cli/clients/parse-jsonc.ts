import { WeirError } from '../../core/error.ts'
import { parseJson } from '../../core/parse-json.ts'

/** Claude Code keeps its whole history in the file that also holds the servers. */
const limits = { depthMax: 64, elementsMax: 2_000_000 }
/** Only files that people write by hand have comments; the engine's patterns do not take strings of any length. */
const commentedCharsMax = 1024 * 1024

/**
 * Parses JSON as editors write it: with comments and commas before a closing bracket. Throws CONFIG_INVALID, which
 * names the place and shows nothing of the text, since secrets stand in it.
 */
export function parseJsonc(text: string, path: string): unknown {
  try {
    const json = text.replace(/^\uFEFF/, '')
    return isJson(json) || json.length > commentedCharsMax
      ? parseJson(json, limits)
      : parseJson(blankExtras(json), limits)
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    throw new WeirError('CONFIG_INVALID', `${path} cannot be read as JSON${describe(error)}.`, {
      hint: 'Correct the file, or give the path of another.',
    })
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function describe({ cause, message, code }: WeirError): string {
  if (code !== 'PARSE_ERROR') return `: ${message.replace(/\.$/, '')}`
  const [, line, column] = /line (\d+) column (\d+)/.exec(cause instanceof Error ? cause.message : '') ?? []
  return line === undefined ? '' : `: it breaks at line ${line}, column ${column}`
}

// In this order, so that no comment is found inside a string and no string inside a comment.
const pieces = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
const lastComma = /("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])/g

/** Blanks keep every other character at its line and column. */
function blankExtras(text: string): string {
  const plain = text.replace(pieces, (piece) => (piece[0] === '"' ? piece : piece.replace(/[^\n]/g, ' ')))
  return plain.replace(lastComma, (_, string: string | undefined) => string ?? ' ')
}
