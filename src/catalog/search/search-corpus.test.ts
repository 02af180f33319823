import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { everything } from '../../core/caller.ts'
import type { RunContext } from '../../core/tool.ts'
import { createToolsetTools } from '../toolsets/toolset-tools.ts'
import { createTools, type Definition, nameDefinition } from './search.fixture.ts'
import { createToolSearch } from './tool-search.ts'

const caller = { subject: 's', tenant: 't', grants: everything }
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../bench/corpus/${name}`, import.meta.url), 'utf8'))
const corpus: Record<string, { tools: Definition[] }> = read('tools.json')
type Questions = readonly { readonly question: string; readonly tools: readonly string[] }[]
const questions: Questions = read('questions.json')
const tuningQuestions: Questions = read('tuning-questions.json')

const named = Object.entries(corpus).flatMap(([connection, { tools }]) =>
  tools.map((definition) => nameDefinition(connection, definition)),
)
const listing = createTools(named.sort((a, b) => (a.name < b.name ? -1 : 1)))
const definitions = Object.values(corpus).flatMap(({ tools }) => tools)

/** Four characters a token, as is usual for English and JSON; only the ratio counts. */
const countTokens = (value: unknown) => Math.ceil(JSON.stringify(value).length / 4)

describe('300 real tools and 50 fixed questions', () => {
  it('are what they are said to be: as many, and each question has an answer', () => {
    expect([listing.list().length, questions.length]).toEqual([300, 50])
    const ids = new Set(named.map(({ entry }) => entry.id))
    const right = [...questions, ...tuningQuestions].flatMap(({ tools }) => tools)
    expect(right.filter((id) => !ids.has(id))).toEqual([])
  })

  it.each([
    ['fixed', questions],
    ['tuning', tuningQuestions],
  ])('D4-032: the right tool is among the first five for at least 90 %% of the %s questions', async (_, asked) => {
    const search = createToolSearch(listing)
    const missed: string[] = []
    for (const { question, tools } of asked) {
      const found = await search.search(question, { limit: 5 })
      if (!found.some(({ entry }) => tools.includes(entry.id))) missed.push(question)
    }
    expect(missed.length / asked.length, missed.join('\n')).toBeLessThanOrEqual(0.1)
  })

  it('cost at least 80 % fewer tokens: two tools and an answer, against the whole list', async () => {
    const [search, call] = createToolsetTools({ toolset: 'all', description: undefined, selected: listing })
    const list = [search!, call!].map(({ target }) => ({
      name: target.name,
      description: target.description,
      inputSchema: target.input['~standard'].jsonSchema.input({ target: 'draft-2020-12' }),
    }))
    const whole = countTokens(definitions)
    const costs: number[] = []
    for (const { question } of questions) {
      const answer = await search!.target.run({ query: question }, { caller } as RunContext)
      costs.push(countTokens(list) + countTokens(answer))
    }
    expect(Math.max(...costs) / whole).toBeLessThanOrEqual(0.2)
  })
})
