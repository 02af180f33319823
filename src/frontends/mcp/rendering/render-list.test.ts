import { describe, expect, it, vi } from 'vitest'
import type { Listing, Named, Staleness } from '../../../core/catalog.ts'
import { jsonSchema } from '../../../core/schema.ts'
import type { Prompt, ReadInput, Resource, ResourceTemplate, Target, Tool } from '../../../core/tool.ts'
import { newestLegacy, newestModern } from '../../../wire/revisions/index.ts'
import { renderPrompt, renderResource, renderTemplate, renderTool } from './render-definition.ts'
import { createListRenderer } from './render-list.ts'

describe('a list of tools', () => {
  const own = (output?: object): Tool => ({
    kind: 'tool',
    name: 'own',
    description: 'd',
    effect: 'destructive',
    input: jsonSchema({ type: 'object' }),
    ...(output === undefined ? {} : { output: jsonSchema(output as Record<string, unknown>) }),
    run: async () => ({}),
  })
  const viewOf = (...tools: Tool[]) => {
    const list = vi.fn(() =>
      tools.map((target) => ({ name: `c__${target.name}`, entry: { id: 'c:x', connection: 'c', target } })),
    )
    return {
      view: { version: 1, find: () => undefined, list, onChange: () => ({ dispose() {} }) } as Listing<Tool>,
      list,
    }
  }
  const render = (view: Listing<Tool>, revision = newestModern) =>
    JSON.parse(createListRenderer('tools', renderTool, () => '')(view, revision).toString()).tools

  it('shows an upstream’s definition field by field, under our name', () => {
    const definition = {
      name: 'theirs',
      inputSchema: { type: 'object', 'x-any': 1 },
      icons: [{ src: 'data:,' }],
      annotations: { invented: true },
      _meta: { 'a/b': 1 },
      future: null,
    }
    const [tool] = render(viewOf({ ...own(), definition }).view)
    expect(tool).toEqual({ ...definition, name: 'c__own' })
    expect(Object.keys(tool)).toEqual(Object.keys(definition))
  })

  it.each([
    ['read', { readOnlyHint: true }],
    ['idempotent-write', { readOnlyHint: false, destructiveHint: false, idempotentHint: true }],
    ['write', { readOnlyHint: false, destructiveHint: false, idempotentHint: false }],
    ['destructive', { readOnlyHint: false, destructiveHint: true, idempotentHint: false }],
  ] as const)('hints that a tool of ours is %s', (effect, annotations) => {
    expect(render(viewOf({ ...own(), effect }).view)[0]).toMatchObject({ annotations })
  })

  it.each([
    [{ type: 'object' }, true],
    [{ type: 'array' }, false],
    [{ anyOf: [] }, false],
  ])('shows legacy clients the output schema %j: %s', (output, isShown) => {
    const { view } = viewOf(own(output))
    expect('outputSchema' in render(view)[0]).toBe(true)
    expect('outputSchema' in render(view, newestLegacy)[0]).toBe(isShown)
  })

  it('P10: is made and encoded once for a version of the view, in each revision', () => {
    const { view, list } = viewOf(own())
    const renderTools = createListRenderer('tools', renderTool, () => ',"more":true')
    expect(renderTools(view, newestModern).toString()).toMatch(/\],"more":true\}$/)
    expect(renderTools(view, newestModern)).toBe(renderTools(view, newestModern))
    renderTools(view, newestLegacy)
    expect(list).toHaveBeenCalledTimes(2)
    renderTools({ ...view }, newestModern)
    Object.assign(view, { version: 2 })
    renderTools(view, newestModern)
    expect(list).toHaveBeenCalledTimes(4)
  })
})

describe('a definition', () => {
  const input = jsonSchema<ReadInput>({})
  const base = { description: 'd', effect: 'read', input, run: async () => ({}) } as const
  const named = <T extends Target>(name: string, target: T, stale?: Staleness): Named<T> => ({
    name,
    entry: { id: 'x', connection: 'c', target },
    ...(stale === undefined ? {} : { stale }),
  })
  const resource: Resource = { ...base, kind: 'resource', name: 'file:///a' }
  const template: ResourceTemplate = {
    ...base,
    kind: 'resource-template',
    name: 'file:///{x}',
    matches: () => true,
  }
  const prompt: Prompt = { ...base, kind: 'prompt', name: 'ask', input: jsonSchema({}) }

  it('of an upstream is shown field by field, under the name or URI that we give it', () => {
    const more = {
      name: 'theirs',
      title: 'T',
      mimeType: 'text/x',
      size: 7,
      icons: [1],
      _meta: { 'a/b': 1 },
      future: 0,
    }
    const shown = { ...more, uri: 'file:///a' }
    expect(renderResource(named('weir:c:file:///a', { ...resource, definition: shown }))).toEqual({
      ...shown,
      uri: 'weir:c:file:///a',
    })
    const form = { ...more, uriTemplate: 'file:///{x}' }
    expect(renderTemplate(named('weir:c:file:///{x}', { ...template, definition: form }))).toEqual({
      ...form,
      uriTemplate: 'weir:c:file:///{x}',
    })
    expect(renderPrompt(named('c__ask', { ...prompt, definition: more }))).toEqual({
      ...more,
      name: 'c__ask',
    })
  })

  it('of our own says what the protocol demands', () => {
    expect(renderResource(named('file:///a', resource))).toEqual({
      name: 'file:///a',
      description: 'd',
      uri: 'file:///a',
    })
    expect(renderResource(named('file:///a', { ...resource, title: 'A' }))).toMatchObject({
      name: 'A',
      title: 'A',
    })
    expect(renderTemplate(named('file:///{x}', template))).toEqual({
      name: 'file:///{x}',
      description: 'd',
      uriTemplate: 'file:///{x}',
    })
    const input = jsonSchema<Record<string, string>>({
      properties: { a: { type: 'string', description: 'An a.' }, b: {} },
      required: ['a'],
    })
    expect(renderPrompt(named('c__ask', { ...prompt, input }))).toEqual({
      name: 'c__ask',
      description: 'd',
      arguments: [
        { name: 'a', description: 'An a.', required: true },
        { name: 'b', required: false },
      ],
    })
    expect(renderPrompt(named('c__ask', prompt))).toMatchObject({ arguments: [] })
  })

  it('R6: that is only remembered says since when and why, beside its own _meta', () => {
    const stale = { since: '2026-11-21T00:00:00.000Z', cause: 'It does not answer.' }
    const definition = { _meta: { 'a/b': 1 } }
    const tool: Tool = { ...base, kind: 'tool', name: 't', definition }
    const marked = { 'weir/stale': stale }
    for (const rendered of [
      renderTool(named('c__t', tool, stale), 'modern'),
      renderResource(named('u:1', { ...resource, definition }, stale)),
      renderTemplate(named('u:{x}', { ...template, definition }, stale)),
      renderPrompt(named('c__ask', { ...prompt, definition }, stale)),
    ])
      expect(rendered).toMatchObject({ _meta: { 'a/b': 1, ...marked } })
    expect(renderTool(named('c__t', { ...tool, definition: {} }, stale), 'legacy')).toMatchObject({
      _meta: marked,
    })
    expect(renderTool(named('c__t', tool), 'modern')).toMatchObject({ _meta: { 'a/b': 1 } })
    expect(JSON.stringify(renderTool(named('c__t', tool), 'modern'))).not.toContain('weir/stale')
  })
})
