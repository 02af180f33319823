import { vocabulary } from './search-vocabulary.ts'

/** Words so common that they say nothing of what is looked for. */
const stopWords: ReadonlySet<string> = new Set(
  `a about also am an and any are as at be been but by can could did do does for from give had has have he help her here
  him his how i if in into is it its just let like may me might more must my need of off on one or our out over please
  she should so some than that the their them then there these they this to us want was we were why will with would you
  your`.split(/\s+/),
)
/** Words that mean something in a question and nothing in a description. */
const questionWords: ReadonlySet<string> = new Set([
  'what',
  'when',
  'where',
  'which',
  'who',
  'whose',
  'all',
  'every',
])

const synonyms = new Map<string, Set<string>>()
for (const line of vocabulary.trim().split('\n')) {
  const [said = '', meant = said] = line.split('>')
  const targets = meant.trim().split(' ').map(stem)
  for (const word of said.trim().split(' ').map(stem)) {
    synonyms.set(
      word,
      new Set([...(synonyms.get(word) ?? []), ...targets.filter((target) => target !== word)]),
    )
  }
}

/** The words of a tool’s text, stemmed: names are taken apart at `_`, `-`, `.` and where a capital begins. */
export function splitWords(text: string): string[] {
  return splitAll(text)
    .filter((word) => !questionWords.has(word))
    .map(stem)
}

function splitAll(text: string): string[] {
  const parts = text.normalize('NFKC').replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
  const words = parts.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return words.filter((word) => !stopWords.has(word))
}

/** One word of a question, and the words that may stand for it. */
export interface Concept {
  readonly word: string
  readonly synonyms: readonly string[]
}

/** A question of more words is read up to there. */
const conceptsMax = 32

/** What tells a thing by its form: who names a file seldom calls it one. */
const forms: readonly (readonly [pattern: RegExp, word: string])[] = [
  [/(?:^|\s)[~.]?\/\S|(?:^|[\s/])[\w-]*\.(?!com\b|org\b|net\b|io\b)[a-z][a-z0-9]{1,4}\b/i, 'file'],
  [/\bhttps?:\/\/|\b\w+\.(?:com|org|net|io)\b/i, 'url'],
  [/(?:^|\s)#[a-z]/i, 'channel'],
  [/(?:^|\s)@[a-z]/i, 'user'],
]

/** What a question asks for, each thing once. */
export function readQuery(query: string): readonly Concept[] {
  const implied = forms.filter(([pattern]) => pattern.test(query)).map(([, word]) => stem(word))
  const words = new Set([...splitAll(query).map(stem), ...implied])
  return [...words].slice(0, conceptsMax).map((word) => ({ word, synonyms: [...(synonyms.get(word) ?? [])] }))
}

/** Takes the commonest endings of English off, so that `files`, `creating` and `merged` meet `file`, `create` and `merge`. */
function stem(word: string): string {
  if (word.length <= 3) return word
  const singular = word
    .replace(/(?<=..)ies$/, 'y')
    .replace(/(?<=s|sh|ch|x|z)es$/, '')
    .replace(/(?<=[^su])s$/, '')
  const plain =
    singular.length <= 5 ? singular : singular.replace(/(?:ing|ed)$/, '').replace(/([bdgklmnprt])\1$/, '$1')
  return plain.length <= 3 ? plain : plain.replace(/e$/, '')
}
