import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { exitOf, exits } from '../src/cli/exit-codes.ts'
import { errorCatalogue } from '../src/core/error-catalogue.ts'
import { renderTable } from './render-table.ts'

const program = join(import.meta.dirname, '../bin/weir.js')

const introduction = `<!-- Written by scripts/write-reference.ts from the help of \`weir\` and src/cli/exit-codes.ts. Edit the commands in src/cli/ instead. -->

# Command line

Data goes to stdout, everything else to stderr. With \`--json\` both are JSON: one document, or one object a line. The
configuration is \`weir.yaml\` in the working folder, or the file that \`--config\` names; where neither is there, \`start\`,
\`dev\`, \`tools\` and \`call\` use the sample shop.

\`tools\` and \`call\` ask the Weir that listens on the configured port, if there is one. Else they open the connections
themselves: \`call\` only the one it needs.`

const meanings: Readonly<Record<keyof typeof exits, string>> = {
  ok: 'done; for `start` and `dev` also a stop by SIGTERM',
  usage: 'the command or its arguments were wrong, or Weir itself failed',
  invalidConfig: 'the configuration is missing, not valid, or not allowed',
  notAuthorized: 'an upstream server wants a credential that Weir does not have',
  unreachable: 'a connection is not up',
  toolError: 'the tool answered with an error',
  denied: 'a rule forbids the call',
  timeout: 'the call took too long',
  overloaded: 'a bounded queue is full',
  interrupted: 'stopped by Ctrl-C',
}

const signals = `SIGHUP ends \`start\` and \`dev\` with 129. A first signal lets calls under way end, for at most ten seconds; a second
one ends the process at once, with 143 where it is SIGTERM.`

/** `docs/reference/command-line.md`: what \`weir --help\` says of itself and of every command, and the exit codes. */
export function renderCommandReference(): string {
  const whole = readHelp()
  const commands = listCommands(whole).flatMap((name) => [
    `## weir ${name}\n\n${renderHelp(readHelp(name))}`,
    ...listCommands(readHelp(name)).map(
      (inner) => `## weir ${name} ${inner}\n\n${renderHelp(readHelp(name, inner))}`,
    ),
  ])
  return `${[introduction, renderHelp(whole), ...commands, renderExits()].join('\n\n')}\n`
}

function readHelp(...command: readonly string[]): string {
  return execFileSync(process.execPath, [program, ...command, '--help'], { encoding: 'utf8' }).trimEnd()
}

/** From the help itself, so that a new command cannot be forgotten here. */
function listCommands(help: string): readonly string[] {
  const list = help.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? ''
  const names = [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name!)
  return names.filter((name) => name !== 'help')
}

function renderHelp(help: string): string {
  return `\`\`\`text\n${help}\n\`\`\``
}

function renderExits(): string {
  const rows = Object.entries(exits).map(([name, exit]) => [
    `${exit}`,
    meanings[name as keyof typeof exits],
    codesOf(exit),
  ])
  const table = renderTable(['exit code', 'meaning', '[error codes](../errors.md)'], rows)
  return `## Exit codes\n\n${table}\n\n${signals}`
}

function codesOf(exit: number): string {
  const codes = Object.keys(errorCatalogue).filter((code) => exitOf(code) === exit)
  return codes.map((code) => `\`${code}\``).join(', ')
}
