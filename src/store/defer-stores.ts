import type { Clock } from '../core/clock.ts'
import type { Stores } from '../core/stores.ts'

/** How long a failure to open is taken for the state of things, before the next use tries again. */
const retryMs = 5_000

/**
 * Stores that are opened by their first use: a process that keeps nothing pays nothing, and one whose store cannot be
 * opened serves what needs none. Everything rejects with what opening it rejected with.
 */
export function deferStores(open: () => Promise<Stores>, clock: Clock): Stores {
  let opened: Promise<Stores> | undefined
  let failedMs = Number.NEGATIVE_INFINITY
  let hasFailed = false
  let isClosed = false

  const use = (): Promise<Stores> => {
    if (opened === undefined || (hasFailed && clock.monotonicMs() - failedMs > retryMs && !isClosed)) {
      hasFailed = false
      opened = open()
      opened.catch(() => {
        hasFailed = true
        failedMs = clock.monotonicMs()
      })
    }
    return opened
  }
  return {
    pins: {
      list: async (connection) => (await use()).pins.list(connection),
      put: async (pins) => (await use()).pins.put(pins),
      remove: async (pins) => (await use()).pins.remove(pins),
    },
    credentials: {
      get: async (key) => (await use()).credentials.get(key),
      list: async (connection) => (await use()).credentials.list(connection),
      put: async (key, value, ifVersion) => (await use()).credentials.put(key, value, ifVersion),
      remove: async (key) => (await use()).credentials.remove(key),
    },
    targets: {
      recall: async (connection) => (await use()).targets.recall(connection),
      remember: async (connection, remembered) => (await use()).targets.remember(connection, remembered),
      forget: async (connection) => (await use()).targets.forget(connection),
    },
    audit: {
      append: async (drafts) => (await use()).audit.append(drafts),
      chains: async () => (await use()).audit.chains(),
      read: async (query) => (await use()).audit.read(query),
      verify: async (check) => (await use()).audit.verify(check),
    },
    apiKeys: {
      list: async () => (await use()).apiKeys.list(),
      put: async (keys) => (await use()).apiKeys.put(keys),
      remove: async (hashes) => (await use()).apiKeys.remove(hashes),
    },
    approvals: {
      open: async (request, expiresAt) => (await use()).approvals.open(request, expiresAt),
      note: async (request, verdict) => (await use()).approvals.note(request, verdict),
      find: async (ids) => (await use()).approvals.find(ids),
      list: async (state) => (await use()).approvals.list(state),
      decide: async (id, verdict) => (await use()).approvals.decide(id, verdict),
      use: async (id) => (await use()).approvals.use(id),
      dismiss: async (id) => (await use()).approvals.dismiss(id),
    },
    idempotency: {
      reserve: async (key, call, holder) => (await use()).idempotency.reserve(key, call, holder),
      finish: async (key, token, outcome) => (await use()).idempotency.finish(key, token, outcome),
      release: async (key, token) => (await use()).idempotency.release(key, token),
    },
    async close() {
      isClosed = true
      await opened?.then(
        (stores) => stores.close(),
        () => {},
      )
    },
  }
}
