#!/usr/bin/env node
// Old versions of Node read this file too, to say that they are too old: it holds no syntax and no static
// import that they lack. Everything else is src/cli/main.ts.

const majorMin = 24

function start() {
  const major = Number(process.versions.node.split('.')[0])
  return major >= majorMin ? startHere() : startElsewhere()
}

async function startHere() {
  await keepCallsYoung()
  await keepCompiledCode()
  await import('../src/cli/main.ts')
}

/**
 * V8 moves what often outlives one collection straight to where it is collected late. What belongs to a call always does,
 * for calls wait, and each one that is moved takes all that it holds along: a fifth of the time went into collecting it.
 */
async function keepCallsYoung() {
  const v8 = await import('node:v8')
  v8.setFlagsFromString('--no-allocation-site-pretenuring')
}

/** In a folder of this user's own: in a shared one, others could put code there for us to run. */
async function keepCompiledCode() {
  const module = await import('node:module')
  const os = await import('node:os')
  const path = await import('node:path')
  try {
    const home = process.env.XDG_CACHE_HOME || process.env.LOCALAPPDATA || path.join(os.homedir(), '.cache')
    module.enableCompileCache(path.join(home, 'weir', 'compiled'))
  } catch (_) {
    // Without a cache Weir only starts more slowly.
  }
}

/** A clone holds a Node of its own, in the `runtime` workspace. */
async function startElsewhere() {
  const fs = await import('node:fs')
  const path = await import('node:path')
  const root = path.dirname(path.dirname(fs.realpathSync(process.argv[1])))
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const program = process.platform === 'win32' ? 'node.exe' : 'node'
  const own = path.join(root, 'node_modules', `node-${platform}-${process.arch}`, 'bin', program)
  if (!fs.existsSync(own)) return refuse()
  const { spawn } = await import('node:child_process')
  const child = spawn(own, process.argv.slice(1), { stdio: 'inherit' })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on('error', refuse)
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    // Our own parent must see the same end, and a handler would swallow it.
    for (const each of signals) process.removeAllListeners(each)
    process.kill(process.pid, signal)
  })
}

function refuse() {
  process.stderr.write(
    `error: Weir needs Node ${majorMin} or newer, and this is ${process.versions.node}. Install it from https://nodejs.org, for instance with \`nvm install ${majorMin}\`.\n`,
  )
  process.exit(1)
}

start().catch((error) => {
  // A Node so old that it cannot even load its own modules this way is told the same.
  if (Number(process.versions.node.split('.')[0]) < majorMin) refuse()
  process.stderr.write(`error: Weir cannot start: ${error.message}\n`)
  process.exit(1)
})
