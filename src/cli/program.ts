import { Command, CommanderError } from 'commander'
import { toWeirError } from '../core/error.ts'
import { exitOf, exits } from './exit-codes.ts'
import { addOperating } from './operating-commands.ts'
import { createOutput, type Output, toFailure } from './output.ts'
import { readVersion } from './read-version.ts'
import { type Act, example, type RunLoaded } from './run-loaded.ts'

interface GlobalOptions {
  readonly json?: boolean
  readonly config?: string
}

/** Runs one command line; resolves with the exit code. Every failure has been told by then. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  // Before the options are understood, their mistakes must already be told in the right form.
  const isJson = argv.includes('--json')
  let exit: number = exits.ok
  const run =
    <O>(load: () => Promise<Act<O>>) =>
    async (...given: unknown[]) => {
      const command = given.at(-1) as Command
      const { json, config, ...options } = command.optsWithGlobals<GlobalOptions & O>()
      const context = {
        output: createOutput(json === true),
        ...(config === undefined ? {} : { configPath: config }),
      }
      exit = await guard(context.output, async () => (await load())(context, options as O, command.args))
    }
  try {
    await createProgram(run).parseAsync(argv, { from: 'user' })
    return exit
  } catch (thrown) {
    return tellMisuse(thrown, createOutput(isJson))
  }
}

async function guard(output: Output, act: () => Promise<number>): Promise<number> {
  try {
    return await act()
  } catch (thrown) {
    const error = toWeirError(thrown)
    // The command line is this machine's own operator, who has no other log to look into.
    const message = error.code === 'INTERNAL' && thrown instanceof Error ? thrown.message : error.message
    output.fail({ ...toFailure(error), message })
    return exitOf(error.code)
  }
}

/** Help and version end the parser the same way that mistakes do, but have said all there is to say. */
function tellMisuse(thrown: unknown, output: Output): number {
  if (!(thrown instanceof CommanderError)) throw thrown
  if (thrown.exitCode === 0) return exits.ok
  if (thrown.code === 'commander.help') return exits.usage
  const [message = '', suggestion] = thrown.message.replace(/^error: /, '').split('\n')
  const hint = suggestion?.replace(/^\((.*)\)$/, '$1') ?? 'See `weir --help`.'
  output.fail({ code: 'INVALID_PARAMS', message, hint })
  return exits.usage
}

function createProgram(run: RunLoaded): Command {
  const program = new Command('weir')
    .description('One MCP endpoint for the systems you run. Every call passes the same checks.')
    .version(readVersion(), '--version', 'print the version')
    .option('--json', 'print data and errors as JSON')
    .option('--config <path>', 'the configuration file (default: weir.yaml in this folder)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .addHelpText('after', example('weir init', 'weir dev', 'weir tools orders', 'weir call --help'))
  addServing(program, run)
  addConfiguring(program, run)
  addAuthorising(program, run)
  addCalling(program, run)
  addOperating(program, run)
  addClients(program, run)
  // A command made from the outside takes none of these from its parent.
  for (const command of program.commands) {
    command.copyInheritedSettings(program)
    for (const inner of command.commands) inner.copyInheritedSettings(program)
  }
  return program
}

function addServing(program: Command, run: RunLoaded): void {
  program
    .command('start')
    .description('serve the gateway over HTTP, or to one client on stdin and stdout')
    .option('--host <host>', 'the address to listen on')
    .option('--port <port>', 'the port to listen on; 0 takes any free one')
    .option('--stdio', 'serve one MCP client on stdin and stdout instead')
    .addHelpText('after', example('weir start', 'weir start --port 9000', 'weir start --stdio'))
    .action(run(async () => (await import('./commands/start.ts')).start))
  program
    .command('dev')
    .description('serve, and load the configuration again whenever it changes')
    .option('--host <host>', 'the address to listen on')
    .option('--port <port>', 'the port to listen on; 0 takes any free one')
    .addHelpText('after', example('weir dev', 'weir dev --config staging.yaml'))
    .action(run(async () => (await import('./commands/dev.ts')).dev))
  program
    .command('reload')
    .description('let the running Weir take over its changed configuration file')
    .option('--dry-run', 'say what would change, and change nothing')
    .addHelpText('after', example('weir reload --dry-run', 'weir reload'))
    .action(run(async () => (await import('./commands/reload.ts')).reload))
}

function addConfiguring(program: Command, run: RunLoaded): void {
  program
    .command('init')
    .description('write a commented weir.yaml to begin with')
    .option('--force', 'overwrite the file that is there')
    .addHelpText('after', example('weir init', 'weir init --config gateway/weir.yaml'))
    .action(run(async () => (await import('./commands/init.ts')).init))
  program
    .command('validate')
    .description('check the configuration and tell everything that is wrong with it')
    .addHelpText('after', example('weir validate', 'weir validate --config staging.yaml --json'))
    .action(run(async () => (await import('./commands/validate.ts')).validate))
  program
    .command('doctor')
    .description('tell how far each connection comes, and what to do where it is stuck')
    .argument('[connection]', 'only this one')
    .addHelpText('after', example('weir doctor', 'weir doctor database --json'))
    .action(run(async () => (await import('./commands/doctor.ts')).doctor))
}

function addAuthorising(program: Command, run: RunLoaded): void {
  program
    .command('auth')
    .description('agree, in a browser, that a connection uses an account of yours (OAuth)')
    .argument('[connection]', 'the connection; with --status, only this one')
    .option('--status', 'list what has been agreed to')
    .option('--revoke', 'take it back, and forget the tokens')
    .option('--scope <scopes>', 'scopes to ask for beside the usual ones, in one word')
    .option('--as <subject>', 'the caller who agrees, where each has an account of their own')
    .option('--tenant <tenant>', 'the realm of that caller (default: default)')
    .option('--gateway', 'the account that Weir lists tools with, where callers have their own')
    .addHelpText(
      'after',
      example('weir auth tracker', 'weir auth tracker --status --json', 'weir auth tracker --revoke'),
    )
    .action(run(async () => (await import('./commands/auth.ts')).auth))
}

function addCalling(program: Command, run: RunLoaded): void {
  program
    .command('tools')
    .description('list the tools, of the running Weir if there is one')
    .argument('[words...]', 'what to look for: words, or a part of a name; the best 20 are listed')
    .option('--port <port>', 'the port of the running Weir, where it is not the configured one')
    .option('--category <category>', 'only tools of this category')
    .addHelpText(
      'after',
      example('weir tools', 'weir tools send a mail', 'weir tools --category general --json'),
    )
    .action(run(async () => (await import('./commands/tools.ts')).tools))
  program
    .command('call')
    .description('call one tool, through the running Weir if there is one')
    .argument('<connection:tool>', 'the tool, as `weir tools` lists it')
    .argument('[key=value...]', 'its arguments; values are read by its input schema')
    .option('--args <json>', 'all arguments as one JSON object; - reads it from stdin')
    .option('--timeout <duration>', 'how long to wait at most: 500ms, 30s, 2m')
    .option('--port <port>', 'the port of the running Weir, where it is not the configured one')
    .addHelpText(
      'after',
      example(
        `weir call database:execute_query query='select count(*) from orders' database=analytics`,
        `weir call api:http_request api_name=shipping method=GET url=/inventory`,
        `echo '{"message":"hello"}' | weir call everything:echo --args -`,
      ),
    )
    .action(run(async () => (await import('./commands/call.ts')).call))
}

function addClients(program: Command, run: RunLoaded): void {
  program
    .command('import')
    .description('turn the MCP servers of a client into connections')
    .argument('[file]', 'a client’s configuration; without it, where the client keeps it')
    .option('--from <client>', 'claude, claude-desktop, cursor or vscode')
    .option('--write', 'add them to the configuration instead of printing them')
    .addHelpText(
      'after',
      example('weir import', 'weir import --from cursor --write', 'weir import .vscode/mcp.json'),
    )
    .action(run(async () => (await import('./commands/import.ts')).importClient))
  program
    .command('export')
    .description('print a client’s configuration that reaches this Weir, or that holds its MCP servers')
    .requiredOption('--to <client>', 'claude, claude-desktop, cursor or vscode')
    .option('--servers', 'the connections of type mcp instead, for a client without Weir')
    .addHelpText('after', example('weir export --to cursor', 'weir export --to vscode --servers'))
    .action(run(async () => (await import('./commands/export.ts')).exportClient))
  program
    .command('connect')
    .description('print what to run or paste so that a client reaches this Weir')
    .argument('<client>', 'claude, claude-desktop, cursor or vscode')
    .option('--print', 'print it, which is all that is done so far')
    .addHelpText('after', example('weir connect claude', 'weir connect claude-desktop --json'))
    .action(run(async () => (await import('./commands/connect.ts')).connect))
}
