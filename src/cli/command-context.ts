import type { Output } from './output.ts'

/** What every command is run with. */
export interface CommandContext {
  readonly output: Output
  /** `--config`, as it was written; absent: `weir.yaml` in the working folder, if there is one. */
  readonly configPath?: string
}
