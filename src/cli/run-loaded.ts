import type { CommandContext } from './command-context.ts'

/** A command that has been loaded: does its work and says what the process ends with. */
export type Act<O> = (context: CommandContext, options: O, words: readonly string[]) => Promise<number>

/** Makes an action of a command whose code is loaded when it is run. */
export type RunLoaded = <O>(load: () => Promise<Act<O>>) => (...given: unknown[]) => Promise<void>

/** What `--help` shows below everything else. */
export function example(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
