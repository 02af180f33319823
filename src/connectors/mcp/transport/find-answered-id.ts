const quote = 0x22
const backslash = 0x5c
const idValue = /\s*:\s*(\d{1,15})\s*[,}]/y

/**
 * Which request a line answers, where the line is no message that can be used: it may be broken, too complex or hold a
 * forbidden key, so it is looked through without building anything. Undefined for what is not meant as a response.
 */
export function findAnsweredId(line: string): number | undefined {
  if (!line.startsWith('{')) return undefined
  let id: number | undefined
  let depth = 0
  for (let at = 0; at < line.length; at += 1) {
    const code = line.charCodeAt(at)
    if (code === 0x7b || code === 0x5b) depth += 1
    else if (code === 0x7d || code === 0x5d) depth -= 1
    else if (code === quote) {
      const end = endOfString(line, at)
      if (depth === 1) {
        const text = line.slice(at + 1, end)
        // A server numbers its own requests as it likes; their ids say nothing about ours.
        if (text === 'method') return undefined
        if (text === 'id') id ??= readId(line, end + 1)
      }
      at = end
    }
  }
  return id
}

/** Where the string that begins at `start` ends: its closing quote, or the end of the line. */
function endOfString(line: string, start: number): number {
  let at = start + 1
  while (at < line.length && line.charCodeAt(at) !== quote) at += line.charCodeAt(at) === backslash ? 2 : 1
  return at
}

function readId(line: string, at: number): number | undefined {
  idValue.lastIndex = at
  const found = idValue.exec(line)?.[1]
  return found === undefined ? undefined : Number(found)
}
