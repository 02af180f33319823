import type { Finding } from './finding.ts'
import { type AstNode, childAt, childrenAt, parseSource, textAt, walk } from './parse.ts'
import { house } from './star.ts'
import { productionCode, type Tree, textOf } from './tree.ts'

/** Everything in src that the architecture does not know, or that the parser would not see. */
export function checkLayout(tree: Tree): readonly Finding[] {
  return [...tree.keys()].filter((path) => path.startsWith('src/')).flatMap(checkPlace)
}

function checkPlace(path: string): readonly Finding[] {
  const [, first = '', second, third] = path.split('/')
  const finding = (message: string) => [{ rule: 'layout', path, line: 1, message }]
  if (second === undefined) {
    const known = house.files.includes(first.replace('.test.ts', '.ts'))
    return known
      ? []
      : finding(`src holds ${house.files.join(', ')} and folders. Move the file into one of them.`)
  }
  if (!house.folders.includes(first)) {
    return finding(
      `src has no folder ${first}. Use one of ${house.folders.join(', ')}, or change the architecture.`,
    )
  }
  const split = first === 'connectors' || first === 'frontends'
  if (split && third === undefined && !['index.ts', 'index.test.ts'].includes(second)) {
    return finding(`${first}/ holds index.ts and one folder for each kind. Give this one its folder.`)
  }
  if (/\.(js|mjs|cjs|mts|cts|tsx|jsx)$/.test(path)) {
    return finding('Code in src is .ts, which every check reads. Rename it.')
  }
  return []
}

/** Syntax that stands for code which Node's type stripping cannot make up. */
const unerasable: Readonly<Record<string, string>> = {
  TSEnumDeclaration: 'An enum. Use a union of literals, or an `as const` object.',
  TSParameterProperty: 'A parameter property. Declare the field and assign it in the constructor.',
  TSImportEqualsDeclaration: 'An `import =`. Use an ES import.',
  TSExportAssignment: 'An `export =`. Use ES exports.',
  TSTypeAssertion: 'A type assertion in angle brackets. Use `as`, or better a check.',
}

/** Enums, namespaces, parameter properties and the like, declared ones too. */
export function checkErasable(tree: Tree): readonly Finding[] {
  return productionCode(tree).flatMap((path) => {
    const findings: Finding[] = []
    walk(parseSource(path, textOf(tree, path)).program, (node) => {
      const message = unerasable[node.type] ?? namespaceMessage(node)
      if (message !== undefined) findings.push({ rule: 'erasable', path, line: node.loc.start.line, message })
      return undefined
    })
    return findings
  })
}

// `declare module 'x'` and `declare global` only describe what exists; they make no namespace.
function namespaceMessage(node: AstNode): string | undefined {
  if (node.type !== 'TSModuleDeclaration' || textAt(node, 'kind') !== 'namespace') return undefined
  return 'A namespace. A file is one already: export its members.'
}

/** Names that files and exported things never carry, because they say nothing of what is inside. */
const emptyWords = new Set(['utils', 'util', 'helpers', 'helper', 'manager', 'service', 'common', 'misc'])

/** File names that are not kebab-case, and names which say nothing. */
export function checkFileNames(tree: Tree): readonly Finding[] {
  const code = [...tree.keys()].filter((path) => /^(src|test|bench|scripts|bin|examples)\//.test(path))
  return code.flatMap((path) => {
    const findings: Finding[] = []
    const add = (rule: string, message: string) => findings.push({ rule, path, line: 1, message })
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (/\.(ts|js|mjs)$/.test(name) && !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(name)) {
      add('kebab-case', `${name} is not kebab-case. Rename the file.`)
    }
    const empty = path.split(/[/.-]/).find((word) => emptyWords.has(word))
    if (empty !== undefined)
      add('empty-name', `“${empty}” does not say what is inside. Name it after its main export.`)
    return findings
  })
}

/** Declared names that say how a thing is typed, or nothing at all. */
export function checkTypeNames(tree: Tree): readonly Finding[] {
  return productionCode(tree).flatMap((path) => {
    const findings: Finding[] = []
    const program = parseSource(path, textOf(tree, path)).program
    for (const statement of childrenAt(program, 'body')) {
      const declaration = childAt(statement, 'declaration') ?? statement
      const name = textAt(childAt(declaration, 'id'), 'name') ?? ''
      const line = declaration.loc.start.line
      if (declaration.type === 'TSInterfaceDeclaration' && /^I[A-Z][a-z]/.test(name)) {
        findings.push({
          rule: 'i-prefix',
          path,
          line,
          message: `${name}: drop the I, the name is the concept.`,
        })
      }
      if (/(Manager|Helpers?|Utils?|Service)$/.test(name)) {
        findings.push({ rule: 'empty-name', path, line, message: `${name}: say what it does instead.` })
      }
    }
    return findings
  })
}
