import { parse } from '@babel/parser'

/** A node of the syntax tree, read by field: the checks meet every kind of node, and none needs all their types. */
export interface AstNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } }
  readonly [field: string]: unknown
}

export interface AstComment {
  readonly type: 'CommentBlock' | 'CommentLine'
  readonly value: string
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } }
}

/** A parsed file. */
export interface Ast {
  readonly program: AstNode
  readonly comments: readonly AstComment[]
}

// Several checks read the same few hundred sources; the tree bounds the size.
const parsed = new Map<string, Ast>()

/** Parses TypeScript or, by extension, JavaScript. Throws with the path where the text is neither. */
export function parseSource(path: string, source: string): Ast {
  const key = `${path}\n${source}`
  const known = parsed.get(key)
  if (known !== undefined) return known
  const ast = parseUncached(path, source)
  parsed.set(key, ast)
  return ast
}

function parseUncached(path: string, source: string): Ast {
  try {
    const plugins = path.endsWith('.ts') ? (['typescript'] as const) : []
    const file = parse(source, { sourceType: 'module', plugins: [...plugins], attachComment: true })
    return file as unknown as Ast
  } catch (cause) {
    throw new Error(`${path} could not be parsed: ${(cause as Error).message}`, { cause })
  }
}

const noChildren = new Set(['loc', 'extra', 'leadingComments', 'trailingComments', 'innerComments'])

function childrenOf(node: AstNode): readonly AstNode[] {
  return Object.entries(node)
    .filter(([field]) => !noChildren.has(field))
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter(isNode)
}

/** Sees a node and what it stands in, outermost first; `'skip'` spares what lies below. */
export type Visitor = (node: AstNode, ancestors: readonly AstNode[]) => 'skip' | undefined

/** Visits the node and all below it, parents first. The list of ancestors is only good during the visit. */
export function walk(node: AstNode, visit: Visitor, ancestors: AstNode[] = []): void {
  if (visit(node, ancestors) === 'skip') return
  ancestors.push(node)
  for (const child of childrenOf(node)) walk(child, visit, ancestors)
  ancestors.pop()
}

function isNode(value: unknown): value is AstNode {
  return typeof value === 'object' && value !== null && typeof (value as AstNode).type === 'string'
}

/** The child in a field that holds one node or none. */
export function childAt(node: AstNode | undefined, field: string): AstNode | undefined {
  const value = node?.[field]
  return isNode(value) ? value : undefined
}

/** The children in a field that holds a list; holes are left out. */
export function childrenAt(node: AstNode | undefined, field: string): readonly AstNode[] {
  const value = node?.[field]
  return Array.isArray(value) ? value.filter(isNode) : []
}

/** A field that holds text, such as an identifier's name. */
export function textAt(node: AstNode | undefined, field: string): string | undefined {
  const value = node?.[field]
  return typeof value === 'string' ? value : undefined
}

/** The identifier's name; undefined for any other node. */
export function identifierName(node: AstNode | undefined): string | undefined {
  return node?.type === 'Identifier' ? textAt(node, 'name') : undefined
}

/** The name in a key or member position: an identifier, or a string that says the same (`process['env']`). */
export function staticName(node: AstNode | undefined, computed: boolean): string | undefined {
  if (node?.type === 'StringLiteral') return textAt(node, 'value')
  if (node?.type === 'TemplateLiteral' && childrenAt(node, 'expressions').length === 0) {
    return (childrenAt(node, 'quasis')[0]?.['value'] as { cooked?: string } | undefined)?.cooked
  }
  return computed ? undefined : identifierName(node)
}

/** The member's name; undefined where the node is no member access or the name is computed. */
export function memberName(node: AstNode | undefined): string | undefined {
  if (node?.type !== 'MemberExpression' && node?.type !== 'OptionalMemberExpression') return undefined
  return staticName(childAt(node, 'property'), node['computed'] === true)
}
