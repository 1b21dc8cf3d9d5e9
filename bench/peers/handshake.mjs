// The side under test of a handshake, in JavaScript, in a process of its own: so no other subject's code has shaped what the optimizer makes of this one's.
// `node handshake.mjs {"subject", "mode", "port", "ca", "bundle", "warmUp"}`: each line on stdin is a number of connections to make, one after the other;
// answered with the CPU microseconds (user and system) that each took, from connecting to 'close'.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTls, createSecureContext as createPlainContext } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { answer, questions } from './channel.mjs'

const { subject, mode, port, ca, bundle, warmUp } = JSON.parse(process.argv[2])
const [host, servername] = ['127.0.0.1', 'localhost']
// loaded in either case: a collection costs by what the heap holds
const { connect, createSecureContext } = await import('@x/socket')
const { SessionCache } = await import('@x/session-cache')
const { defaultCaStore } = await import('@x/ca-store')
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

const closed = async (socket) => {
  socket.destroy()
  await new Promise((resolve) => socket.once('close', resolve))
}

/** Waits for the server's answer, with which its tickets have come. */
const answered = async (socket) => {
  socket.write(Buffer.alloc(9, 'H'))
  await once(socket, 'data')
  await closed(socket)
}

// The options of each connection are a literal, as a program writes them: what is put together by spreading costs either side more than some checks.

async function byUs() {
  const secureContext = mode === 'each' ? undefined : await createSecureContext({ ca })
  const caStore = bundle === true ? defaultCaStore() : undefined
  const sessionCache = new SessionCache({ maxSize: 10 })
  const options = {
    full: () => ({ host, port, servername, secureContext }),
    // node:tls offers its ticket again and again, and a server of Node sends no other on resumption
    resumed: () => ({ host, port, servername, secureContext, sessionCache, tickets: 'again' }),
    each: () => ({ host, port, servername, ca }),
    bundle: () => ({ host, port, servername, ca, caStore }),
  }[bundle === true ? 'bundle' : mode]
  return async () => {
    const socket = await connect(options())
    const reused = socket.sessionReused
    await (mode === 'resumed' ? answered : closed)(socket)
    return reused
  }
}

function byNode() {
  const secureContext = mode === 'each' ? undefined : createPlainContext({ ca })
  const file = bundle === true ? defaultCaStore().file : undefined
  const more = bundle === true ? [file === undefined ? defaultCaStore().toPem() : readFileSync(file, 'utf8')] : []
  let session
  const options = {
    full: () => ({ host, port, servername, secureContext }),
    resumed: () => ({ host, port, servername, secureContext, session }),
    each: () => ({ host, port, servername, ca: [ca, ...more] }),
  }[mode]
  return async () => {
    const socket = connectTls(options())
    if (mode === 'resumed') socket.on('session', (received) => (session = received))
    await once(socket, 'secureConnect')
    const reused = socket.isSessionReused()
    await (mode === 'resumed' ? answered : closed)(socket)
    return reused
  }
}

const shake = subject === 'node:tls' ? byNode() : await byUs()
const resuming = mode === 'resumed'

for (let i = 0; i < warmUp; i++) await shake()
for await (const question of questions()) {
  const count = Number(question)
  // other subjects had the machine meanwhile; the peers too leave out a tenth
  for (let i = 0; i < count / 10; i++) await shake()
  collect({ type: 'minor' })
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) if ((await shake()) !== resuming) throw new TypeError('not what is to be measured')
  const { user, system } = process.cpuUsage(before)
  answer((user + system) / count)
}
process.exit()
