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

/** What people say, and after the sign what makers of tools call it. A line without one goes in all directions. */
const vocabulary = `
  folder directory
  delete remove drop
  create add insert new
  list show
  get read fetch retrieve view
  search find query
  update edit change modify
  send post
  copy fork duplicate clone
  picture image photo screenshot
  site website page webpage web
  repo repository
  issue ticket
  email mail
  comment note remark
  reply answer respond
  user member person
  document file
  location place
  coordinate latitude longitude
  height elevation altitude
  licence license
  organization organisation
  sum total
  erase discard forget throw wipe clear > delete remove drop
  make start set build > create add
  open > create read new
  report submit raise file > create
  write > create post update append
  enumerate display all every which > list
  look check see tell say give open what > get read
  where lookup locate recall > search find
  who whose > user author member
  when date > time
  remind remember learn know > memory knowledge entity observation
  forget > memory entity observation
  put leave attach store > add create write
  place > put
  replace alter rewrite fix correct > update edit
  close resolve finish reopen > update state
  append paragraph > child add
  rename > move
  name > rename
  tell inform notify announce say speak > send post message
  duplicate somebody > fork
  internet online google news headline article > web search
  shop store restaurant cafe coffee bar hotel business nearby near > place local
  opening phone > detail place
  project > repository
  pr mr > pull merge request
  bug problem defect todo > issue
  colleague employee people customer account staff > user member
  job title > profile
  chat room > channel
  thread conversation discussion > thread reply comment
  emoji heart thumb smile like > reaction
  approve reject lgtm > review
  reviewer > review
  ci pass fail test pipeline > check status
  again retry rerun > rerequest
  last latest recent history past > commit history time
  big large small heavy space > size storage
  link relation tie married > relation
  route drive walk travel way > direction distance
  far long > distance time duration
  address street > geocode location
  high tall sea > elevation
  slow fast faster speed lag > performance trace index explain
  plan > explain
  leak heap > memory heap snapshot
  reader blind disability > accessibility
  engine ranking > seo
  call traffic > request network
  print error warning exception > console message log
  javascript > script console
  smartphone mobile tablet pretend imitate > emulate simulate device
  phone > emulate device
  back previous return forward > back navigate history
  go visit surf browse > navigate
  click tap push > click press
  scroll > wheel
  alert popup confirm prompt accept dismiss > dialog
  dropdown choose pick > select option
  enter sign form > fill
  window > resize page
  video film record > screencast record trace
  snippet paste > gist
  share publish everybody everyone public > create public
  spend spent cost pay money price invoice charge > billing usage budget
  cap > limit budget
  limit remaining left still quota > limit rate
  table row record > collection document
  field column > schema property
  faster speed > index
  run > execute trigger start
  stop cancel abort end > stop
  allow may permit touch > allowed access
  much number amount > count size
  many > count several multiple
  several multiple once > multiple
  save download keep > save export write
  zip compress archive > gzip
  layout structure hierarchy > tree
  whole sub nested > tree recursive
  invalid leak token password > revoke credential
  html > render
  dump everything > export read
  repeat > echo
  plus minus add > sum
  environment variable > env
  think reason step > think thought
  company firm business team > organization
  ip > address meta
`

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
