import { WeirError } from '../../../core/error.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { Params } from '../../../wire/json-rpc.ts'
import { type Capabilities, metaKeys } from '../../../wire/model.ts'
import { requireTasks } from '../require-tasks.ts'
import { watchesMax } from './resource-watches.ts'

/** Which lists a subscriber wants to hear of. */
export interface ListFilter {
  readonly toolsListChanged: boolean
  readonly promptsListChanged: boolean
  readonly resourcesListChanged: boolean
}

/** What a client asked to listen to, under the protocol's own names. */
export interface Filter extends ListFilter {
  readonly resourceSubscriptions: readonly string[]
}

/** What sessions of the old era hear without asking. */
export const everyList: ListFilter = {
  toolsListChanged: true,
  promptsListChanged: true,
  resourcesListChanged: true,
}

/** Reads the parameters of `subscriptions/listen`. Throws INVALID_PARAMS or MISSING_CAPABILITY. */
export function readFilter({ notifications, _meta }: Params): Filter {
  if (!isObject(notifications)) {
    throw new WeirError('INVALID_PARAMS', '"notifications" must say what to listen for.', {
      hint: 'Send {"toolsListChanged": true}.',
    })
  }
  const uris = notifications['resourceSubscriptions'] ?? []
  if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === 'string')) {
    throw new WeirError('INVALID_PARAMS', '"resourceSubscriptions" must be a list of URIs.', {
      hint: 'Send {"resourceSubscriptions": ["file:///a.txt"]}.',
    })
  }
  if (uris.length > watchesMax) {
    throw new WeirError('INVALID_PARAMS', `"resourceSubscriptions" holds ${uris.length} URIs.`, {
      hint: `Send at most ${watchesMax}.`,
    })
  }
  // News of tasks are not granted: clients ask for them by `tasks/get`.
  if (notifications['taskIds'] !== undefined) requireTasks(readCapabilities(_meta), '"taskIds"')
  return {
    toolsListChanged: notifications['toolsListChanged'] === true,
    promptsListChanged: notifications['promptsListChanged'] === true,
    resourcesListChanged: notifications['resourcesListChanged'] === true,
    resourceSubscriptions: [...new Set<string>(uris)],
  }
}

/** What is acknowledged: everything that was asked for, and of the resources those that `watch` takes. */
export function grant(filter: Filter, watch: (uri: string) => boolean): Readonly<Record<string, unknown>> {
  const { resourceSubscriptions, ...lists } = filter
  const uris = resourceSubscriptions.filter(watch)
  return {
    ...Object.fromEntries(Object.entries(lists).filter(([, isWanted]) => isWanted)),
    ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
  }
}

function readCapabilities(meta: unknown): Capabilities | undefined {
  const declared = isObject(meta) ? meta[metaKeys.clientCapabilities] : undefined
  return isObject(declared) ? declared : undefined
}
