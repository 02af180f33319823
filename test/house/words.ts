import type { Finding } from './finding.ts'
import { parseSource, walk } from './parse.ts'
import { codeUnder, isTest, type Tree, textOf } from './tree.ts'

/** What a reader elsewhere could make nothing of: the paths and hosts of the machine this was written on. */
const foreign: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/(?<![\w.~-])\/work\//, 'A path of the machine this was written on'],
  [/\/tmp\/(brief|bash_jobs)/, 'A path of the machine this was written on'],
]

/** Paths and hosts that leaked into the tree. */
export function checkForeignWords(tree: Tree): readonly Finding[] {
  return [...tree].flatMap(([path, text]) => [...foreignLines(path, text), ...resolvedHosts(path, text)])
}

function foreignLines(path: string, text: string): readonly Finding[] {
  return text.split('\n').flatMap((content, index) =>
    foreign
      .filter(([pattern]) => pattern.test(content))
      .map(([, what]) => ({
        rule: 'foreign-word',
        path,
        line: index + 1,
        message: `${what} means nothing elsewhere. Say it in general words, or drop it.`,
      })),
  )
}

// npm then asks whichever registry the user has set, and the lock does not tell which one we had.
function resolvedHosts(path: string, text: string): readonly Finding[] {
  if (!path.endsWith('package-lock.json')) return []
  return text.split('\n').flatMap((content, index) => {
    const host = /"resolved":\s*"(?:git\+)?\w+:\/\/([^/"]+)/.exec(content)?.[1]
    if (host === undefined) return []
    const message = `The lock names the host ${host}. Write it with omit-lockfile-registry-resolved.`
    return [{ rule: 'lock-host', path, line: index + 1, message }]
  })
}

/** `any` without a stated reason, and switches that turn the type checker off. */
export function checkSuppressions(tree: Tree): readonly Finding[] {
  return codeUnder(tree, 'src', 'test', 'bench', 'scripts', 'examples').flatMap((path) => [
    ...unexcusedAny(path, textOf(tree, path)),
    ...switchesOff(path, textOf(tree, path)),
  ])
}

const excuse = /biome-ignore lint\/suspicious\/noExplicitAny: \S+/

function unexcusedAny(path: string, source: string): readonly Finding[] {
  const lines = source.split('\n')
  const findings: Finding[] = []
  walk(parseSource(path, source).program, (node) => {
    const line = node.loc.start.line
    if (
      node.type === 'TSAnyKeyword' &&
      ![lines[line - 1], lines[line - 2]].some((near) => excuse.test(near ?? ''))
    ) {
      findings.push({
        rule: 'no-any',
        path,
        line,
        message: 'An `any`. Use unknown and a check, or give the reason.',
      })
    }
    return undefined
  })
  return findings
}

// A test may expect a type error: that the compiler refuses something is then what it proves.
function switchesOff(path: string, source: string): readonly Finding[] {
  const pattern = isTest(path)
    ? /^\W*(@ts-(?:ignore|nocheck)|biome-ignore-all)\b/
    : /^\W*(@ts-(?:ignore|nocheck|expect-error)|biome-ignore-all)\b/
  return parseSource(path, source).comments.flatMap((comment) => {
    const found = pattern.exec(comment.value)?.[1]
    if (found === undefined) return []
    const message = `${found} hides more than the one fault. Fix it, or suppress the one line with its reason.`
    return [{ rule: 'no-suppression', path, line: comment.loc.start.line, message }]
  })
}
