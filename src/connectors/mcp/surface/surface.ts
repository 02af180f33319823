import { WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { Prompt, Resource, ResourceTemplate, Target } from '../../../core/tool.ts'
import type { Capabilities } from '../../../wire/model.ts'
import { abandonOn } from '../../shared/abandon-on.ts'
import type { Client } from '../client.ts'
import { runWithin } from '../run-within.ts'
import { createTaskControl } from '../tasks/task-control.ts'
import { type ListKind, listKinds } from './list-kinds.ts'
import { type Definition, readList } from './read-list.ts'
import { toPrompt } from './to-prompt.ts'
import { createUnlisted, toResource, toTemplate } from './to-resource.ts'
import { type ToolSettings, toTool, type UpstreamTool } from './to-tool.ts'
import { type Listed, UpstreamList } from './upstream-list.ts'

/** How much longer than for the tools an opening waits for the other lists; they come when they come. */
const graceMs = 2_000

/** What the targets of one server are made with. */
export interface SurfaceOptions {
  readonly client: Client
  readonly log: Logger
  readonly timeoutMs: number
  readonly kind: 'stdio' | 'http'
  readonly runTool: ToolSettings['run']
  /** Ends readings that are under way. */
  readonly signal: AbortSignal
  readonly onChange: () => void
}

/** Everything that one server offers: its lists, each read by itself, so that a broken one costs only itself. */
export class Surface {
  readonly #options: SurfaceOptions
  readonly #tools: UpstreamList<UpstreamTool>
  readonly #resources: UpstreamList<Listed<Resource>>
  readonly #templates: UpstreamList<Listed<ResourceTemplate>>
  readonly #prompts: UpstreamList<Listed<Prompt>>
  readonly #unlisted: ResourceTemplate
  #targets: readonly Target[] | undefined

  constructor(options: SurfaceOptions) {
    this.#options = options
    this.#tools = this.#createList(listKinds.tools, (name, definition) =>
      toTool(name, definition, this.#toolSettings()),
    )
    this.#resources = this.#createList(listKinds.resources, (uri, definition) =>
      toResource(uri, definition, options),
    )
    this.#templates = this.#createList(listKinds.templates, (uri, definition) =>
      toTemplate(uri, definition, options),
    )
    this.#prompts = this.#createList(listKinds.prompts, (name, definition) =>
      toPrompt(name, definition, options),
    )
    this.#unlisted = createUnlisted(options)
  }

  /** In the order of the protocol's own lists. The same array until something changes. */
  targets(): readonly Target[] {
    this.#targets ??= [
      ...targetsOf(this.#tools),
      ...targetsOf(this.#resources),
      ...targetsOf(this.#templates),
      ...this.#beyondLists(),
      ...targetsOf(this.#prompts),
    ]
    return this.#targets
  }

  tool(name: string): UpstreamTool | undefined {
    return this.#tools.find(name)
  }

  /** Reads all lists at once. Rejects where the server cannot be reached, or has nothing but what cannot be read. */
  async open(signal: AbortSignal): Promise<void> {
    const others = [this.#resources, this.#templates, this.#prompts]
    const rest = Promise.allSettled(others.map((list) => list.refresh()))
    let broken: unknown
    try {
      await abandonOn(signal, this.#tools.refresh())
    } catch (error) {
      if (!isAnswer(error)) throw error
      broken = error
    }
    await runWithin(graceMs, signal, 'its lists', (inner) => abandonOn(inner, rest)).catch(() => {})
    signal.throwIfAborted()
    if (broken !== undefined && others.every(({ items }) => items.length === 0)) throw broken
  }

  /** Reads all lists again. What cannot be read stays as it was, and says so in the log. */
  async refresh(signal: AbortSignal): Promise<void> {
    const readings = this.#lists().map(([, list]) => list.refresh())
    await abandonOn(signal, Promise.allSettled(readings))
  }

  refreshTools(): Promise<void> {
    return this.#tools.refresh()
  }

  /** The server says that a list has changed. */
  takeNews(method: string): void {
    for (const [kind, list] of this.#lists()) if (kind.changed === method) list.markStale()
  }

  /** Any list may have changed. */
  markStale(): void {
    for (const [, list] of this.#lists()) list.markStale()
  }

  close(): void {
    for (const [, list] of this.#lists()) list.close()
  }

  #lists(): readonly (readonly [ListKind, UpstreamList<Listed>])[] {
    return [
      [listKinds.tools, this.#tools],
      [listKinds.resources, this.#resources],
      [listKinds.templates, this.#templates],
      [listKinds.prompts, this.#prompts],
    ]
  }

  #createList<L extends Listed>(
    kind: ListKind,
    convert: (name: string, definition: Definition) => L,
  ): UpstreamList<L> {
    const { client, log, signal, onChange } = this.#options
    return new UpstreamList({
      ...{ log, convert, noun: kind.noun },
      fetch: () => readList(client, kind, log, signal),
      onChange: () => {
        this.#targets = undefined
        onChange()
      },
    })
  }

  #toolSettings(): ToolSettings {
    const { client, kind, timeoutMs, runTool } = this.#options
    const { era, hasTasks, capabilities } = client
    return {
      timeoutMs,
      readsParamHeaders: kind === 'http' && era === 'modern',
      readsTaskSupport: era === 'legacy' && hasLegacyTasks(capabilities),
      createTaskControl: hasTasks ? (tool) => createTaskControl(client, tool, timeoutMs) : undefined,
      run: runTool,
    }
  }

  /** A server that itself lists a template for everything needs no other. */
  #beyondLists(): readonly ResourceTemplate[] {
    const declared = this.#options.client.capabilities['resources'] !== undefined
    return declared && this.#templates.find(this.#unlisted.name) === undefined ? [this.#unlisted] : []
  }
}

function targetsOf<T extends Target>(list: UpstreamList<Listed<T>>): readonly T[] {
  return list.items.map(({ target }) => target)
}

/** Whether a legacy server can make tasks of calls. */
function hasLegacyTasks({ tasks }: Capabilities): boolean {
  const requests = isObject(tasks) ? tasks['requests'] : undefined
  const tools = isObject(requests) ? requests['tools'] : undefined
  return isObject(tools) && tools['call'] !== undefined
}

/** Whether the server did answer, and only what it answered is of no use. */
function isAnswer(error: unknown): boolean {
  return error instanceof WeirError && (error.code === 'UPSTREAM_ERROR' || error.code === 'UPSTREAM_PROTOCOL')
}
