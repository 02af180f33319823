const paramsMax = 32

/**
 * The target of the first link whose relation is `relation`, as the header `Link` has it (RFC 8288, 3); undefined where
 * there is none. Reads the header once from left to right, so that a hostile one costs no time.
 */
export function findLink(header: string, relation: string): string | undefined {
  let at = 0
  while (at < header.length) {
    const opened = header.indexOf('<', at)
    const closed = opened === -1 ? -1 : header.indexOf('>', opened)
    if (closed === -1) return undefined
    const { params, end } = readParams(header, closed + 1)
    const relations = params.get('rel')?.toLowerCase().split(/\s+/) ?? []
    // A link with an anchor speaks of something else than the answer.
    if (relations.includes(relation) && !params.has('anchor')) return header.slice(opened + 1, closed)
    at = end
  }
  return undefined
}

/** Parameters up to the next link; of two of one name the first counts. */
function readParams(header: string, from: number): { params: ReadonlyMap<string, string>; end: number } {
  const params = new Map<string, string>()
  let at = from
  while (at < header.length && header[at] !== ',') {
    if (header[at] !== ';') {
      at += 1
      continue
    }
    const named = readName(header, at + 1)
    const read = header[named.end] === '=' ? readValue(header, named.end + 1) : { value: '', end: named.end }
    if (!params.has(named.value) && params.size < paramsMax) params.set(named.value, read.value)
    at = read.end
  }
  return { params, end: at + 1 }
}

function readName(header: string, from: number): { value: string; end: number } {
  let end = from
  while (end < header.length && !'=;,'.includes(header[end]!)) end += 1
  return { value: header.slice(from, end).trim().toLowerCase(), end }
}

function readValue(header: string, from: number): { value: string; end: number } {
  let at = from
  while (header[at] === ' ' || header[at] === '\t') at += 1
  if (header[at] !== '"') {
    const { value, end } = readName(header, at)
    return { value, end }
  }
  let value = ''
  for (at += 1; at < header.length && header[at] !== '"'; at += 1) {
    if (header[at] === '\\') at += 1
    value += header[at] ?? ''
  }
  return { value, end: at + 1 }
}
