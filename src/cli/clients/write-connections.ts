import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { isMap, parseDocument, Scalar, stringify } from 'yaml'
import { readClientServers } from '../../config/client-servers.ts'
import { ConfigDocument } from '../../config/document.ts'
import { isRecord } from '../../config/path.ts'
import { Problems } from '../../config/problems.ts'
import { Secrets } from '../../config/secrets.ts'
import { WeirError } from '../../core/error.ts'

/** Connections by name, as the configuration has them. */
export type Connections = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** A long line folded would no longer be what was written. */
const style = { lineWidth: 0 } as const

/** The connections as a configuration of their own. */
export function renderConnections(connections: Connections): string {
  return stringify({ connections: { ...connections } }, style)
}

/**
 * A configuration's text with more connections: everything that was there stays, with its comments and in its order.
 * Throws CONFIG_INVALID where the text is no YAML, and INVALID_PARAMS where a name is taken.
 */
export function addConnections(text: string, connections: Connections, path: string): string {
  const document = parseDocument(text, { version: '1.2', schema: 'core', logLevel: 'error' })
  const [fault] = document.errors
  const root = document.contents
  if (fault !== undefined || (root !== null && !isMap(root) && !isEmpty(root))) {
    const at = fault?.linePos === undefined ? '' : `:${fault.linePos[0].line}:${fault.linePos[0].col}`
    throw new WeirError('CONFIG_INVALID', `${path}${at} is not a configuration in YAML.`, {
      hint: '`weir validate` tells everything that is wrong with it.',
    })
  }
  if (!isMap(root))
    return `${text.trimEnd()}${text.trim() === '' ? '' : '\n\n'}${renderConnections(connections)}`
  refuseTaken(document.toJS() as Record<string, unknown>, connections, path)
  const block = document.get('connections', true)
  if (block === undefined || isEmpty(block)) document.set('connections', document.createNode({}))
  else if (!isMap(block)) {
    throw new WeirError('CONFIG_INVALID', `${path}: connections is no map that could be added to.`, {
      hint: 'Write the connections out under their names.',
    })
  }
  const isJson = /^\s*\{/.test(text)
  // A block that was written `{}` would take everything into one line.
  const target = document.get('connections')
  if (isMap(target) && target.items.length === 0 && !isJson) target.flow = false
  if (isMap(target) && isEmpty(block)) target.commentBefore = (block as Scalar).comment ?? null
  // Before the document changes, and its places with it.
  const spliced = splice(text, block, connections)
  for (const [name, config] of Object.entries(connections)) {
    document.setIn(['connections', name], document.createNode(config))
  }
  if (spliced !== undefined && isDeepStrictEqual(parseLoosely(spliced), document.toJS())) return spliced
  const quotes = { defaultKeyType: Scalar.QUOTE_DOUBLE, defaultStringType: Scalar.QUOTE_DOUBLE } as const
  return document.toString(isJson ? { ...style, ...quotes } : style)
}

/**
 * The text with the connections put behind the last one, so that not a blank changes around them; undefined where the
 * block is not written over several lines. The caller compares what the text then means.
 */
function splice(text: string, block: unknown, connections: Connections): string | undefined {
  if (!isMap(block) || block.flow === true) return undefined
  const [first, last] = [block.items[0], block.items.at(-1)]
  const start = (first?.key as Scalar | undefined)?.range?.[0]
  const end = (last?.value as Scalar | undefined)?.range?.[1]
  if (start === undefined || end === undefined) return undefined
  const indent = start - (text.lastIndexOf('\n', start - 1) + 1)
  const lineEnd = text[end - 1] === '\n' ? end : text.indexOf('\n', end) + 1 || text.length
  const before = text.slice(0, lineEnd)
  const lines = stringify({ ...connections }, style)
    .trimEnd()
    .split('\n')
  const added = lines.map((line) => (line === '' ? '' : `${' '.repeat(indent)}${line}`)).join('\n')
  const inserted = `${before.endsWith('\n') ? '' : '\n'}${added}\n`
  return before + (text.includes('\r\n') ? inserted.replaceAll('\n', '\r\n') : inserted) + text.slice(lineEnd)
}

/** What a text means; undefined where it is no YAML. */
function parseLoosely(text: string): unknown {
  const document = parseDocument(text, { version: '1.2', schema: 'core', logLevel: 'silent' })
  return document.errors.length > 0 ? undefined : document.toJS()
}

/** A document without a value: only comments, or `null`. */
function isEmpty(root: unknown): boolean {
  return root instanceof Scalar && root.value === null
}

function refuseTaken(file: Record<string, unknown>, connections: Connections, path: string): void {
  const own = isRecord(file['connections']) ? Object.keys(file['connections']) : []
  const scratch = new Problems(path, new Secrets())
  const pasted = readClientServers(file, new ConfigDocument(), scratch).map(({ name }) => name)
  const taken = Object.keys(connections).filter((name) => own.includes(name) || pasted.includes(name))
  if (taken.length === 0) return
  throw new WeirError('INVALID_PARAMS', `${path} has ${taken.join(', ')} already; nothing was written.`, {
    hint: 'Rename or remove one of the two, here or in the client’s file.',
    data: { taken },
  })
}

/**
 * Puts a text in a file's place, at once or not at all. A file that is there keeps its permissions, a link its target;
 * a new one is for its owner only, because secrets may stand in it. Throws INVALID_PARAMS.
 */
export function replaceFile(path: string, text: string): void {
  const target = existsSync(path) ? realpathSync(path) : path
  const draft = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writeFileSync(draft, text, { flag: 'wx', mode: 0o600 })
    if (existsSync(target)) chmodSync(draft, statSync(target).mode & 0o7777)
    renameSync(draft, target)
  } catch (error) {
    rmSync(draft, { force: true })
    const { code = 'unknown cause' } = error as NodeJS.ErrnoException
    throw new WeirError('INVALID_PARAMS', `${path} cannot be written (${code}).`, {
      hint: 'Choose a place that exists and is yours, with --config.',
    })
  }
}
