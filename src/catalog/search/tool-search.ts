import { setImmediate as nextTurn } from 'node:timers/promises'
import type MiniSearch from 'minisearch'
import type { Entry, Listing, Named, SearchOptions } from '../../core/catalog.ts'
import { type JsonSchema, toJsonSchema } from '../../core/schema.ts'
import { categoryOf, type Tool } from '../../core/tool.ts'
import { listArguments } from './list-arguments.ts'
import { readQuery, splitWords } from './search-terms.ts'

/** Longer questions are cut; the beginning says what is meant. */
const queryCharsMax = 1_000
/** A description may be a book; its beginning says what the tool is for. */
const textCharsMax = 4_000
/** Tools taken into the index before other work gets its turn. */
const sliceTools = 50

/** Finds tools of one list by words. */
export interface ToolSearch {
  /** Best first; ties in the order of names. Without words the list as it is. */
  search(query: string, options: SearchOptions): Promise<readonly Named<Tool>[]>
}

/** What the index knows of one tool. */
interface Document {
  readonly id: string
  readonly name: string
  readonly connection: string
  readonly title: string
  readonly summary: string
  readonly description: string
  readonly arguments: string
  readonly argumentTexts: string
}

interface Indexed {
  readonly entry: Entry<Tool>
  readonly document: Document
  /** What a part of a name is looked for in, lower-case. */
  readonly names: string
}

/**
 * What a word counts by where it stands: who names a system means it, a name and the first sentence say what a tool
 * does, and the description of an argument hardly does. Chosen by the questions of `bench/corpus`.
 */
const boost = {
  name: 2.5,
  connection: 4,
  title: 2,
  summary: 2.5,
  description: 0.6,
  arguments: 0.8,
  argumentTexts: 0.2,
}
/** What a synonym counts against the word that was asked: a word that some tool uses itself needs less translation. */
const synonymWeights = { known: 0.5, unknown: 0.8 }

/** Indexes nothing before the first question, and then only what has changed since the one before. */
export function createToolSearch(listing: Listing<Tool>): ToolSearch {
  return new LazyToolSearch(listing)
}

class LazyToolSearch implements ToolSearch {
  readonly #listing: Listing<Tool>
  readonly #indexed = new Map<string, Indexed>()
  #index: MiniSearch<Document> | undefined
  #version: number | undefined
  #updating: Promise<void> | undefined

  constructor(listing: Listing<Tool>) {
    this.#listing = listing
  }

  async search(query: string, options: SearchOptions): Promise<readonly Named<Tool>[]> {
    const { limit, category, accepts } = options
    const asked = query.slice(0, queryCharsMax)
    const isWanted = (entry: Entry<Tool>) =>
      (category === undefined || isOf(entry.target, category)) && accepts?.(entry) !== false
    if (asked.trim() === '') {
      return this.#listing
        .list()
        .filter(({ entry }) => isWanted(entry))
        .slice(0, limit)
    }
    await this.#update()
    const scores = this.#score(asked)
    const part = asked.trim().toLowerCase()
    const found: { readonly named: Named<Tool>; readonly tier: number; readonly score: number }[] = []
    for (const [name, { entry, names, document }] of this.#indexed) {
      const score = scores.get(name) ?? 0
      const tier = tierOf(part, names, score, document)
      // The list may have changed while the index was brought up to date.
      if (tier === undefined || this.#listing.find(name) !== entry) continue
      if (isWanted(entry)) found.push({ named: { name, entry }, tier, score })
    }
    return found
      .sort((a, b) => a.tier - b.tier || b.score - a.score || (a.named.name < b.named.name ? -1 : 1))
      .slice(0, limit)
      .map(({ named }) => named)
  }

  /** A word counts once, whichever of its synonyms stand in a tool; and a tool that answers more of the words is nearer. */
  #score(query: string): ReadonlyMap<string, number> {
    const concepts = readQuery(query)
    const total = new Map<string, { score: number; matched: number }>()
    for (const { word, synonyms } of concepts) {
      for (const [name, score] of this.#scoreConcept(word, synonyms)) {
        const so = total.get(name) ?? { score: 0, matched: 0 }
        total.set(name, { score: so.score + score, matched: so.matched + 1 })
      }
    }
    return new Map(
      [...total].map(([name, { score, matched }]) => [name, score * (0.5 + matched / concepts.length)]),
    )
  }

  #scoreConcept(word: string, synonyms: readonly string[]): ReadonlyMap<string, number> {
    const scores = this.#scoreWord(word, true)
    const synonymWeight =
      this.#scoreWord(word, false).size > 0 ? synonymWeights.known : synonymWeights.unknown
    for (const synonym of synonyms) {
      for (const [name, score] of this.#scoreWord(synonym, false)) {
        scores.set(name, Math.max(scores.get(name) ?? 0, score * synonymWeight))
      }
    }
    return scores
  }

  #scoreWord(word: string, isLoose: boolean): Map<string, number> {
    const results = this.#index!.search(word, {
      tokenize: (text) => [text],
      processTerm: (text) => text,
      prefix: isLoose && word.length >= 3,
      fuzzy: isLoose && word.length >= 5 ? 1 : false,
      weights: { prefix: 0.3, fuzzy: 0.15 },
      boost,
    })
    return new Map(results.map(({ id, score }) => [String(id), score]))
  }

  #update(): Promise<void> {
    this.#updating ??= this.#catchUp().finally(() => {
      this.#updating = undefined
    })
    return this.#updating
  }

  async #catchUp(): Promise<void> {
    if (this.#version === this.#listing.version) return
    this.#index ??= await createIndex()
    const index = this.#index
    this.#version = this.#listing.version
    const wanted = new Map(this.#listing.list().map(({ name, entry }) => [name, entry]))
    for (const [name, { entry, document }] of this.#indexed) {
      if (wanted.get(name) === entry) continue
      index.remove(document)
      this.#indexed.delete(name)
    }
    let added = 0
    for (const [name, entry] of wanted) {
      if (this.#indexed.has(name)) continue
      const document = describe(name, entry)
      index.add(document)
      this.#indexed.set(name, { entry, document, names: `${name}\n${entry.id}`.toLowerCase() })
      added += 1
      if (added % sliceTools === 0) await nextTurn()
    }
  }
}

/** Loaded with the first question: most processes are never asked one. */
async function createIndex(): Promise<MiniSearch<Document>> {
  const { default: Index } = await import('minisearch')
  return new Index<Document>({
    fields: Object.keys(boost),
    tokenize: splitWords,
    processTerm: (text) => text,
  })
}

function describe(name: string, { connection, target }: Entry<Tool>): Document {
  const found = listArguments(sayInput(target))
  return {
    id: name,
    name: `${name} ${target.name}`,
    connection,
    title: target.title ?? '',
    summary: summaryOf(target.description),
    description: target.description.slice(0, textCharsMax),
    arguments: found.map((argument) => argument.name).join(' '),
    argumentTexts: found
      .map(({ description }) => description)
      .join(' ')
      .slice(0, textCharsMax),
  }
}

/** A schema that cannot say itself makes its tool harder to find, and no other. */
function sayInput({ input }: Tool): JsonSchema {
  try {
    return toJsonSchema(input)
  } catch {
    return {}
  }
}

/** The first sentence, which says what the tool does; the rest says how. */
function summaryOf(description: string): string {
  return /^[^\n]{0,300}?(?:[.!?](?=\s|$)|\n|$)/.exec(description.trim())?.[0] ?? description.slice(0, 300)
}

/** A part of a name always finds it, and comes before what only fits the words; a part of a description comes last (D4-032). */
function tierOf(part: string, names: string, score: number, { description }: Document): number | undefined {
  if (names.includes(part)) return 0
  if (score > 0) return 1
  return description.toLowerCase().includes(part) ? 2 : undefined
}

function isOf(tool: Tool, category: string): boolean {
  return categoryOf(tool).toLowerCase() === category.toLowerCase()
}
