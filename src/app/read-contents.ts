import type { CatalogContents } from '../catalog/catalog.ts'
import { createPinReview, type PinReview } from '../catalog/pins/pins.ts'
import type { ConnectionSource } from '../catalog/slot/connection-slot.ts'
import { fingerprintOf } from '../catalog/slot/fingerprint.ts'
import type { Config, LoadedConfig } from '../config/config.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { type Logger, logWith } from '../core/logger.ts'
import type { PinStore, Stores } from '../core/stores.ts'
import type { Base } from './base.ts'

/** What a configuration puts into the catalog; `only`: the connections that are wanted, all by default. */
export function readContents(
  base: Base,
  loaded: LoadedConfig,
  stores: Stores,
  only: readonly string[] | undefined,
): CatalogContents {
  return {
    sources: readSources(base, loaded, stores, only),
    toolsets: loaded.config.toolsets,
    reviewOf: createReviews(loaded.config, { store: stores.pins, clock: systemClock, log: base.log }),
  }
}

/** Every connection's definitions are looked at, whichever command opens it. */
function createReviews(
  { connections }: Config,
  parts: { readonly store: PinStore; readonly clock: Clock; readonly log: Logger },
): (connection: string) => PinReview {
  return (connection) => {
    const { pinning: mode = 'warn', trustFirst = true } = connections[connection]!
    return createPinReview({ connection, mode, trustFirst, ...parts })
  }
}

function readSources(
  { connectors, log }: Base,
  { config, baseDir }: LoadedConfig,
  { credentials }: Stores,
  only: readonly string[] | undefined,
): ConnectionSource[] {
  const byType = new Map(connectors.map((connector) => [connector.type, connector]))
  return Object.entries(config.connections)
    .filter(([name]) => only === undefined || only.includes(name))
    .map(([name, { type, config: own, isLazy, idleMs }]) => ({
      name,
      type,
      ...(isLazy === undefined ? {} : { isLazy }),
      ...(idleMs === undefined ? {} : { idleMs }),
      identity: fingerprintOf(type, config.connections[name]),
      // A lazy connection, too, is listed before it is open.
      ...(byType.get(type)!.isUpstream === true || isLazy === true
        ? { fingerprint: fingerprintOf(type, own) }
        : {}),
      open: (signal, notes) =>
        byType.get(type)!.open(own, {
          ...{ name, baseDir, signal, credentials },
          log: logWith({ connection: name }, log),
          ...(notes && { notes }),
        }),
    }))
}
