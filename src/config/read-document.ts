import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import { WeirError } from '../core/error.ts'
import { isClientBlock } from './config.ts'
import { ConfigDocument } from './document.ts'
import { type InterpolateContext, type Interpolated, interpolate } from './interpolate.ts'
import type { Path } from './path.ts'
import type { Position, Problems } from './problems.ts'
import { describeSyntaxError } from './syntax-error.ts'

/** Largest configuration file, in bytes. */
export const configBytesMax = 1024 * 1024
const depthMax = 64
const valuesMax = 50_000
const aliasesMax = 100
const quoteHint = 'inside { } and [ ] a reference needs quotes: "${VAR}"'
const expandedCharsMax = 8 * 1024 * 1024

/**
 * Reads YAML 1.2 (JSON included), core schema, one document, and interpolates its string values.
 * Everything wrong goes to `problems`; what could be read is returned all the same, unless the text
 * is not YAML at all.
 */
export function readDocument(text: string, context: InterpolateContext, problems: Problems): ConfigDocument {
  const document = new ConfigDocument()
  const lines = new LineCounter()
  const start = { line: 1, column: 1 }
  if (Buffer.byteLength(text) > configBytesMax) {
    problems.add([], start, `the file is larger than ${configBytesMax / 1024} KiB`, 'split what is in it')
    return document
  }
  // Keys are compared by the walk: the library compares each with each, which takes minutes on a large file.
  const parsed = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  })
  const at = (offset: number) => toPosition(lines, offset)
  for (const error of [...parsed.errors, ...parsed.warnings]) {
    const hint = text.startsWith('${', error.pos[0] - 1) ? quoteHint : undefined
    problems.add([], at(error.pos[0]), describeSyntaxError(error.code), hint)
  }
  if (parsed.directives?.yaml.version !== '1.2')
    problems.add([], start, 'only YAML 1.2 is read', 'remove %YAML')
  if (problems.isEmpty) new Walk(document, context, problems, at).read(parsed.contents)
  return document
}

function toPosition(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}

// Ends the walk where a bound is met; the problem is already noted.
class Stop extends Error {}

/** From YAML nodes to plain values, in the order of the text, with every bound counted after aliases are followed. */
class Walk {
  readonly #document: ConfigDocument
  readonly #context: InterpolateContext
  readonly #problems: Problems
  readonly #at: (offset: number) => Position
  readonly #anchors = new Map<string, Node>()
  readonly #open = new Set<Node>()
  #isRaw = false
  #values = 0
  #aliases = 0
  #expandedChars = 0

  constructor(
    document: ConfigDocument,
    context: InterpolateContext,
    problems: Problems,
    at: (offset: number) => Position,
  ) {
    this.#document = document
    this.#context = context
    this.#problems = problems
    this.#at = at
  }

  read(root: Node | null): void {
    try {
      this.#document.value = this.#read(root, [], undefined)
    } catch (error) {
      if (!(error instanceof Stop)) throw error
    }
  }

  #read(node: Node | null, path: Path, key: Position | undefined): unknown {
    const position = node === null ? (key ?? { line: 1, column: 1 }) : this.#position(node)
    this.#document.place(path, key, position)
    if (++this.#values > valuesMax) this.#stop(path, position, `the file holds more than ${valuesMax} values`)
    if (path.length > depthMax) this.#stop(path, position, `values nest deeper than ${depthMax}`)
    if (node === null) return null
    if (isAlias(node)) return this.#readAlias(node, path, key)
    if (isScalar(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
      return this.#readScalar(node, path, position)
    }
    return this.#readCollection(node, path)
  }

  #readCollection(node: Node, path: Path): unknown {
    if (!isMap(node) && !isSeq(node)) return null
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    this.#open.add(node)
    const value = isMap(node)
      ? this.#readMap(node, path)
      : node.items.map((item, index) => this.#read(item as Node, [...path, index], undefined))
    this.#open.delete(node)
    return value
  }

  #readMap(node: YAMLMap, path: Path): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    const wasRaw = this.#isRaw
    this.#isRaw ||= isSwitchedOff(node, path)
    for (const pair of node.items) {
      const keyNode = pair.key as Scalar
      const key = String(keyNode.value)
      const position = this.#position(keyNode)
      const refused = refuseKey(key, keyNode, map)
      if (refused !== undefined) this.#problems.add([...path, key], position, ...refused)
      else map[key] = this.#read(pair.value as Node | null, [...path, key], position)
    }
    this.#isRaw = wasRaw
    return map
  }

  #readAlias(alias: Alias, path: Path, key: Position | undefined): unknown {
    const position = this.#position(alias)
    if (++this.#aliases > aliasesMax) {
      this.#stop(path, position, `the file follows more than ${aliasesMax} aliases`)
    }
    const target = this.#anchors.get(alias.source)
    if (target !== undefined && !this.#open.has(target)) {
      const value = this.#read(target, path, key)
      // A problem at the value itself is better shown where the alias stands.
      this.#document.place(path, key, position)
      return value
    }
    const message = target === undefined ? 'has no anchor before it' : 'stands inside its own anchor'
    this.#problems.add(path, position, `the alias *${alias.source} ${message}`)
    this.#document.markBroken(path)
    return null
  }

  #readScalar(node: Scalar, path: Path, position: Position): unknown {
    if (typeof node.value !== 'string' || this.#isRaw) return node.value
    try {
      return this.#interpolate(node.value, path)
    } catch (error) {
      if (!(error instanceof WeirError)) throw error
      this.#problems.add(path, position, error.message, error.hint)
      this.#document.markBroken(path)
      return ''
    }
  }

  #interpolate(template: string, path: Path): string {
    const clientSyntax = isClientBlock(path[0])
    const result: Interpolated = interpolate(template, { ...this.#context, clientSyntax })
    if (result.text === template && result.outside.length === 0) return template
    this.#expandedChars += result.text.length
    if (this.#expandedChars > expandedCharsMax) {
      const position = this.#document.locate(path, 'value')
      this.#stop(path, position, `all values together grow past ${expandedCharsMax} characters`)
    }
    this.#document.trace({ path, ...result })
    return result.text
  }

  #position(node: Node): Position {
    return this.#at(node.range?.[0] ?? 0)
  }

  #stop(path: Path, position: Position, message: string): never {
    this.#problems.add(path, position, message)
    throw new Stop()
  }
}

/** A server its client has disabled: its variables need not be set. */
function isSwitchedOff(node: YAMLMap, path: Path): boolean {
  if (path.length !== 2 || !isClientBlock(path[0])) return false
  return node.get('disabled') === true || node.get('enabled') === false
}

function refuseKey(key: string, node: Scalar, map: object): [string, string?] | undefined {
  if (key === '__proto__') return ['this key is not allowed: programs mistake it for an object’s prototype']
  if (key === '<<' && node.type === 'PLAIN') {
    return ['merge keys are not part of YAML 1.2', 'write the keys out, or use an alias for a whole value']
  }
  return Object.hasOwn(map, key) ? [`the key ${JSON.stringify(key)} is here twice`, 'keep one'] : undefined
}
