import type { ErrorSpec } from '../../src/core/error-catalogue.ts'
import type { Finding } from './finding.ts'
import { type AstNode, childAt, childrenAt, identifierName, parseSource, staticName, walk } from './parse.ts'
import { productionCode, type Tree, textOf } from './tree.ts'

/** The catalogue as data, so that a faulty one can be planted. */
export type Catalogue = Readonly<Record<string, ErrorSpec>>

const cataloguePath = 'src/core/error-catalogue.ts'

/** JSON-RPC's own codes and those the MCP revisions define. Others would be of our making, and clients know none. */
const shared = [-32600, -32602, -32603]
/** Codes on which a client acts by itself, so each stands for one thing. */
const distinct = [-32700, -32601, -32020, -32021, -32022]

/** What a catalogue entry must hold to, whatever renders it. */
export function checkCatalogue(catalogue: Catalogue): readonly Finding[] {
  const entries = Object.entries(catalogue)
  return [
    ...entries.flatMap(([code, spec]) =>
      faultsOf(code, spec).map((fault) => finding('catalogue', `${code} ${fault}`)),
    ),
    ...twiceUsed(
      entries
        .map(([code, { mcp }]) => [code, mcp] as const)
        .filter(([, mcp]) => distinct.includes(Number(mcp))),
    ),
    ...twiceUsed(entries.map(([code, { meaning }]) => [code, meaning] as const)),
  ]
}

function faultsOf(code: string, { audience, http, mcp, meaning }: ErrorSpec): readonly string[] {
  const faults: string[] = []
  if (!/^[A-Z]+(_[A-Z]+)*$/.test(code)) faults.push('is not SCREAMING_SNAKE.')
  if (http < 400 || http > 599) faults.push(`has the HTTP status ${http}, which is no error.`)
  if ((audience === 'caller') !== http < 500) {
    faults.push(
      `is for the ${audience} and has the HTTP status ${http}: 4xx says that the caller can mend it, 5xx not.`,
    )
  }
  if (mcp !== 'isError' && ![...shared, ...distinct].includes(mcp)) {
    faults.push(`has the JSON-RPC code ${mcp}, which no revision defines.`)
  }
  if ((mcp === -32603) !== (mcp !== 'isError' && http >= 500)) {
    faults.push(
      `has the JSON-RPC code ${mcp} and HTTP ${http}: -32603 is the one code for a fault that is ours.`,
    )
  }
  if (!/^\p{Lu}[^\n|]*\.$/u.test(meaning)) faults.push(`means “${meaning}”, which is not one sentence.`)
  return faults
}

function twiceUsed(entries: readonly (readonly [code: string, value: unknown])[]): readonly Finding[] {
  const first = new Map<unknown, string>()
  return entries.flatMap(([code, value]) => {
    const other = first.get(value)
    first.set(value, other ?? code)
    return other === undefined
      ? []
      : [finding('catalogue', `${code} and ${other} share “${value}”: nobody can tell them apart.`)]
  })
}

/** Codes that nothing throws, and thrown ones the catalogue does not know. */
export function checkThrownCodes(tree: Tree, catalogue: Catalogue): readonly Finding[] {
  const thrown = productionCode(tree)
    .filter((path) => path !== cataloguePath)
    .flatMap((path) => thrownIn(path, textOf(tree, path), catalogue))
  const known = new Set(thrown.map(({ code }) => code))
  const unknown = thrown
    .filter(({ code }) => !Object.hasOwn(catalogue, code))
    .map(({ code, path, line }) => ({
      rule: 'unknown-code',
      path,
      line,
      message: `The catalogue has no ${code}. Add it there.`,
    }))
  const unthrown = Object.keys(catalogue)
    .filter((code) => !known.has(code))
    .map((code) =>
      finding('unthrown-code', `Nothing in src throws ${code}. Throw it where it happens, or drop it.`),
    )
  return [...unknown, ...unthrown]
}

interface Thrown {
  readonly code: string
  readonly path: string
  readonly line: number
}

/**
 * The codes a file gives to `new WeirError(…)`. Where the argument is computed (a table from an upstream's
 * codes to ours), every string of the file that is a code counts.
 */
function thrownIn(path: string, source: string, catalogue: Catalogue): readonly Thrown[] {
  const thrown: Thrown[] = []
  const strings: Thrown[] = []
  let isComputed = false
  walk(parseSource(path, source).program, (node) => {
    const line = node.loc.start.line
    if (node.type === 'NewExpression' && identifierName(childAt(node, 'callee')) === 'WeirError') {
      const codes = codesIn(childrenAt(node, 'arguments')[0])
      isComputed ||= codes.includes(undefined)
      for (const code of codes) if (code !== undefined) thrown.push({ code, path, line })
    }
    const text = staticName(node, true) ?? keyOf(node)
    if (text !== undefined && Object.hasOwn(catalogue, text)) strings.push({ code: text, path, line })
    return undefined
  })
  return isComputed ? [...thrown, ...strings] : thrown
}

function codesIn(argument: AstNode | undefined): readonly (string | undefined)[] {
  if (argument?.type === 'ConditionalExpression') {
    return [...codesIn(childAt(argument, 'consequent')), ...codesIn(childAt(argument, 'alternate'))]
  }
  return [staticName(argument, true)]
}

function keyOf(node: AstNode): string | undefined {
  return node.type === 'ObjectProperty'
    ? staticName(childAt(node, 'key'), node['computed'] === true)
    : undefined
}

function finding(rule: string, message: string): Finding {
  return { rule, path: cataloguePath, line: 1, message }
}
