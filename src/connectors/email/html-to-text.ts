/** Elements whose content nobody reads. */
const hiddenElements: ReadonlySet<string> = new Set(['head', 'script', 'style', 'template', 'title'])
/** Elements that stand on lines of their own, and those with an empty line around them. */
const blocks: ReadonlySet<string> = new Set([
  ...['address', 'article', 'aside', 'body', 'div', 'dd', 'dt', 'figure', 'footer', 'form', 'header', 'html'],
  ...['li', 'main', 'nav', 'section', 'tbody', 'tfoot', 'thead', 'tr'],
])
const paragraphs: ReadonlySet<string> = new Set([
  ...['blockquote', 'dl', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'ol', 'p', 'pre', 'table', 'ul'],
])
const entities: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', copy: '©', reg: '®', trade: '™' },
  ...{ euro: '€', pound: '£', hellip: '…', ndash: '–', mdash: '—', lsquo: '‘', rsquo: '’', ldquo: '“' },
  ...{ rdquo: '”', laquo: '«', raquo: '»', bull: '•', middot: '·', times: '×', deg: '°', shy: '' },
  ...{ auml: 'ä', ouml: 'ö', uuml: 'ü', Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß', eacute: 'é' },
}

/**
 * The text of a message for readers that show no HTML: blocks become lines, list items get a dash, links are followed
 * by where they lead. A text without any tag keeps its own lines. Takes time linear in the length.
 */
export function htmlToText(html: string): string {
  const writer = new TextWriter(!/<[a-z!/]/i.test(html))
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (open === -1) break
    writer.write(html.slice(at, open))
    const tag = readTag(html, open)
    if (tag === undefined) {
      writer.write('<')
      at = open + 1
      continue
    }
    at = tag.isClosing || !hiddenElements.has(tag.name) ? tag.end : skipElement(html, tag)
    if (at === tag.end) writer.mark(tag)
  }
  writer.write(html.slice(at))
  return writer.finish()
}

interface Tag {
  readonly name: string
  readonly isClosing: boolean
  readonly attributes: string
  /** Where what follows it begins. */
  readonly end: number
}

const tagStart = /(\/?)([a-z][a-z0-9-]*)/iy

/** The tag or comment that begins at `open`; undefined where a `<` is only a sign. */
function readTag(html: string, open: number): Tag | undefined {
  if (html.startsWith('<!--', open)) return { ...nothing, end: endAfter(html, '-->', open + 4) }
  if (html[open + 1] === '!' || html[open + 1] === '?') return { ...nothing, end: endAfter(html, '>', open) }
  tagStart.lastIndex = open + 1
  const [whole = '', slash, name = ''] = tagStart.exec(html) ?? []
  if (whole === '') return undefined
  const from = open + 1 + whole.length
  const end = findTagEnd(html, from)
  return {
    name: name.toLowerCase(),
    isClosing: slash === '/',
    attributes: html.slice(from, end - 1),
    end,
  }
}

const bullet = '- '
const nothing = { name: '', isClosing: false, attributes: '' }

function endAfter(html: string, text: string, from: number): number {
  const found = html.indexOf(text, from)
  return found === -1 ? html.length : found + text.length
}

/** A `>` inside quotes ends nothing. */
function findTagEnd(html: string, from: number): number {
  let quote = ''
  for (let at = from; at < html.length; at += 1) {
    const char = html[at]!
    if (quote !== '') {
      if (char === quote) quote = ''
    } else if (char === '"' || char === "'") quote = char
    else if (char === '>') return at + 1
  }
  return html.length
}

const closings = new Map(
  [...hiddenElements].map((name) => [name, new RegExp(`</${name}(?![a-z0-9-])`, 'gi')]),
)

function skipElement(html: string, { name, end }: Tag): number {
  const closing = closings.get(name)!
  closing.lastIndex = end
  return closing.exec(html) === null ? html.length : endAfter(html, '>', closing.lastIndex)
}

/** Gathers the text, and how many line breaks belong before the next piece of it. */
class TextWriter {
  readonly #keepsLines: boolean
  readonly #parts: string[] = []
  #breaks = 0
  #needsSpace = false
  #preformatted = 0
  readonly #links: { readonly href: string; readonly from: number }[] = []

  constructor(keepsLines: boolean) {
    this.#keepsLines = keepsLines
  }

  write(raw: string): void {
    if (raw === '') return
    const text = decodeEntities(raw)
    if (this.#keepsLines || this.#preformatted > 0) this.#append(text.replace(/\r\n?/g, '\n'))
    else this.#writeWords(text)
  }

  #writeWords(text: string): void {
    const words = text.replace(/[ \t\r\n\f]+/g, ' ')
    if (words.startsWith(' ')) this.#needsSpace = true
    const trimmed = words.trim()
    if (trimmed === '') return
    this.#append(trimmed)
    this.#needsSpace = words.endsWith(' ')
  }

  mark({ name, isClosing, attributes }: Tag): void {
    if (name === 'br') this.#breakLine()
    else if (name === 'a') this.#markLink(isClosing, attributes)
    else if (name === 'img' && !isClosing) this.write(readAttribute(attributes, 'alt'))
    else if (name === 'td' || name === 'th') this.#needsSpace = true
    else if (paragraphs.has(name)) this.#ask(2)
    else if (blocks.has(name)) this.#ask(1)
    if (name === 'pre') this.#preformatted = Math.max(0, this.#preformatted + (isClosing ? -1 : 1))
    if (name === 'li' && !isClosing) this.#append(bullet)
    if (name === 'hr') {
      this.#append('---')
      this.#ask(2)
    }
  }

  finish(): string {
    const lines = this.#parts.join('').split('\n')
    return lines
      .map((line) => line.trimEnd())
      .join('\n')
      .trim()
  }

  #append(text: string): void {
    if (this.#parts.length > 0) {
      if (this.#breaks > 0) this.#parts.push('\n'.repeat(this.#breaks))
      else if (this.#needsSpace && this.#parts.at(-1) !== bullet) this.#parts.push(' ')
    }
    this.#breaks = 0
    this.#needsSpace = false
    this.#parts.push(text)
  }

  #breakLine(): void {
    this.#breaks = Math.min(2, this.#breaks + 1)
    this.#needsSpace = false
  }

  #ask(breaks: number): void {
    // A paragraph that an item begins with stands beside its dash.
    if (this.#parts.at(-1) === bullet) return
    this.#breaks = Math.max(this.#breaks, breaks)
    this.#needsSpace = false
  }

  #markLink(isClosing: boolean, attributes: string): void {
    if (!isClosing) {
      if (this.#links.length < 10)
        this.#links.push({ href: readAttribute(attributes, 'href'), from: this.#parts.length })
      return
    }
    const link = this.#links.pop()
    if (link === undefined || !/^(?:https?|mailto|tel):/i.test(link.href)) return
    const shown = this.#parts.slice(link.from).join('').trim()
    const target = link.href.replace(/^(?:mailto|tel):/i, '')
    if (shown === target) return
    this.#needsSpace = true
    this.#append(`(${target})`)
  }
}

function readAttribute(attributes: string, name: string): string {
  const found = attribute.get(name)!.exec(attributes)
  return decodeEntities(found?.[1] ?? found?.[2] ?? found?.[3] ?? '').trim()
}

const attribute = new Map(
  ['href', 'alt'].map((name) => [
    name,
    new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i'),
  ]),
)

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[name] ?? whole
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    const isCharacter = code > 31 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
    return isCharacter ? String.fromCodePoint(code) : whole
  })
}
