import { readSync } from 'node:fs'

const chunkBytes = 64 * 1024
const lineFeed = 10

/** The lines of a blocking descriptor, one by one, until it ends. Lines are as long as the writer makes them. */
export function* readLines(descriptor: number): Generator<string, undefined> {
  const chunk = Buffer.allocUnsafe(chunkBytes)
  let begun: Buffer[] = []
  for (let length = readChunk(descriptor, chunk); length > 0; length = readChunk(descriptor, chunk)) {
    const read = Buffer.from(chunk.subarray(0, length))
    let at = 0
    for (let end = read.indexOf(lineFeed); end >= 0; end = read.indexOf(lineFeed, at)) {
      const last = read.subarray(at, end)
      at = end + 1
      yield begun.length === 0 ? last.toString() : Buffer.concat([...begun, last]).toString()
      begun = []
    }
    if (at < length) begun.push(read.subarray(at))
  }
  return undefined
}

/** Windows reports the end of a pipe as an error. */
function readChunk(descriptor: number, chunk: Buffer): number {
  try {
    return readSync(descriptor, chunk)
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === 'EOF') return 0
    throw thrown
  }
}
