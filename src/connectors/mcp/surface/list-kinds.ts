import { isObject } from '../../../core/parse-json.ts'
import type { Capabilities } from '../../../wire/model.ts'
import type { NewsFilter } from '../news/subscribe.ts'

/** One list that servers keep: how it is asked for, what tells its items apart, and how the server tells of changes. */
export interface ListKind {
  readonly method: string
  /** The member of a page that holds the items. */
  readonly member: string
  /** The member of an item that is its name among all of its kind. */
  readonly key: string
  /** What the server declares where it has such a list. */
  readonly capability: string
  /** The notification that tells of changes, and what a modern server is asked so that it sends it. */
  readonly changed: string
  readonly flag: string
  readonly itemsMax: number
  /** What one item is called in the log. */
  readonly noun: string
}

const itemsMax = 10_000

/**
 * Every list of the protocol. Templates are fewer: a URI that is not listed is held against each of them, so their
 * number is what a hostile server could make a read cost everyone else.
 */
export const listKinds = {
  tools: {
    ...{ method: 'tools/list', member: 'tools', key: 'name', capability: 'tools', noun: 'tool' },
    ...{ changed: 'notifications/tools/list_changed', flag: 'toolsListChanged', itemsMax },
  },
  resources: {
    ...{
      method: 'resources/list',
      member: 'resources',
      key: 'uri',
      capability: 'resources',
      noun: 'resource',
    },
    ...{ changed: 'notifications/resources/list_changed', flag: 'resourcesListChanged', itemsMax },
  },
  templates: {
    ...{ method: 'resources/templates/list', member: 'resourceTemplates', key: 'uriTemplate' },
    ...{ capability: 'resources', noun: 'resource template', itemsMax: 1_000 },
    ...{ changed: 'notifications/resources/list_changed', flag: 'resourcesListChanged' },
  },
  prompts: {
    ...{ method: 'prompts/list', member: 'prompts', key: 'name', capability: 'prompts', noun: 'prompt' },
    ...{ changed: 'notifications/prompts/list_changed', flag: 'promptsListChanged', itemsMax },
  },
} as const satisfies Record<string, ListKind>

/** Which lists a server says it tells of when they change, as a modern one is asked for that. */
export function readListNews(capabilities: Capabilities): NewsFilter {
  const told = Object.values(listKinds).filter(({ capability }) => {
    const declared = capabilities[capability]
    return isObject(declared) && declared['listChanged'] === true
  })
  return Object.fromEntries(told.map(({ flag }) => [flag, true]))
}
