import type { PinStore } from '../core/stores.ts'
import type { CommandContext } from './command-context.ts'
import { openCommandStores } from './open-command-stores.ts'

/** The pins of the configured store, without a gateway around it. */
export async function openPinStore(
  context: CommandContext,
): Promise<{ readonly pins: PinStore; close(): Promise<void> }> {
  const { stores, close } = await openCommandStores(context)
  return { pins: stores.pins, close }
}
