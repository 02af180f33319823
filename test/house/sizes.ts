import type { Finding } from './finding.ts'
import { type AstNode, childAt, childrenAt, identifierName, memberName, parseSource, walk } from './parse.ts'
import { codeUnder, isTest, productionCode, type Tree, textOf } from './tree.ts'

/** What fits in a head: lines of a file, of a test, of a function, and of half of all functions. */
export const limits = { fileLinesMax: 300, testLinesMax: 400, functionLinesMax: 70, shortFunctionLinesMax: 9 }

const ours = ['src', 'test', 'bench', 'scripts', 'bin', 'examples']

/** Files that are too long. */
export function checkFileSizes(tree: Tree): readonly Finding[] {
  return codeUnder(tree, ...ours).flatMap((path) => {
    const lines = textOf(tree, path).trimEnd().split('\n').length
    const linesMax = isTest(path) ? limits.testLinesMax : limits.fileLinesMax
    if (lines <= linesMax) return []
    const message = `${lines} lines, at most ${linesMax} allowed. Split the file by what it does.`
    return [{ rule: 'file-size', path, line: linesMax + 1, message }]
  })
}

/** Functions that are too long; the blocks of `describe` and `it` are chapters, not functions. */
export function checkFunctionSizes(tree: Tree): readonly Finding[] {
  return codeUnder(tree, ...ours).flatMap((path) =>
    functionsOf(path, textOf(tree, path))
      .filter((found) => found.lines > limits.functionLinesMax && !(isTest(path) && found.isChapter))
      .map(({ name, line, lines }) => ({
        rule: 'function-size',
        path,
        line,
        message: `${name} has ${lines} lines, at most ${limits.functionLinesMax} allowed. Give its steps names.`,
      })),
  )
}

/** Nothing while at least half of the named functions of src are short; else one finding for the whole tree. */
export function checkShortFunctions(tree: Tree): readonly Finding[] {
  const { all, short } = countFunctions(tree)
  if (short * 2 >= all) return []
  const message = `Only ${short} of ${all} functions in src have under ${limits.shortFunctionLinesMax + 1} lines. Half should.`
  return [{ rule: 'short-functions', path: 'src', line: 1, message }]
}

/** Counts functions that have a name: callbacks in passing would make any code look short. */
function countFunctions(tree: Tree): { all: number; short: number } {
  const found = productionCode(tree).flatMap((path) => functionsOf(path, textOf(tree, path)))
  const named = found.filter(({ name }) => name !== anonymous)
  const short = named.filter(({ lines }) => lines <= limits.shortFunctionLinesMax)
  return { all: named.length, short: short.length }
}

interface FoundFunction {
  readonly name: string
  readonly line: number
  readonly lines: number
  readonly isChapter: boolean
}

const anonymous = 'A callback'
const functionTypes = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ObjectMethod',
  'ClassMethod',
  'ClassPrivateMethod',
])

function functionsOf(path: string, source: string): readonly FoundFunction[] {
  const found: FoundFunction[] = []
  walk(parseSource(path, source).program, (node, ancestors) => {
    if (functionTypes.has(node.type)) {
      const parent = ancestors.at(-1)
      const lines = node.loc.end.line - node.loc.start.line + 1
      found.push({
        name: nameOf(node, parent),
        line: node.loc.start.line,
        lines,
        isChapter: isChapter(node, parent),
      })
    }
    return undefined
  })
  return found
}

/** The function's own name, or that of the method, property, field or variable that holds it. */
function nameOf(node: AstNode, parent: AstNode | undefined): string {
  const holder = [parent && childAt(parent, 'value'), parent && childAt(parent, 'init')].includes(node)
    ? parent
    : undefined
  const key = childAt(node, 'id') ?? childAt(node, 'key') ?? childAt(holder, 'key') ?? childAt(holder, 'id')
  return identifierName(key) ?? identifierName(childAt(key, 'id')) ?? anonymous
}

const chapters = new Set([
  'describe',
  'describeWith',
  'it',
  'test',
  'suite',
  'beforeAll',
  'beforeEach',
  'afterAll',
  'afterEach',
])

// Also `it.each(…)(…)`, `describe.skipIf(…)(…)`: the name stands at the innermost end of the callee.
function isChapter(node: AstNode, parent: AstNode | undefined): boolean {
  if (parent?.type !== 'CallExpression' || !childrenAt(parent, 'arguments').includes(node)) return false
  let callee = childAt(parent, 'callee')
  while (callee?.type === 'CallExpression' || memberName(callee) !== undefined) {
    callee = childAt(callee, 'callee') ?? childAt(callee, 'object')
  }
  return chapters.has(identifierName(callee) ?? '')
}
