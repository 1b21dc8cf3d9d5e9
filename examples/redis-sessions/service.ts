// not run: needs a Redis server. One process of a service; start as many as you like, a client resumes at any of them.
//
//   export REDIS_URL=redis://127.0.0.1:6379 SERVICE_SECRET=$(openssl rand -hex 32) CERT_FILE=… KEY_FILE=…
//   node examples/redis-sessions/service.ts
import { constants, hkdfSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { EncryptedSessionStore, sessionIdContext } from '@x/session-cache'
import { listen } from '@x/socket'
import { createClient } from 'redis'
import { redisLists } from './redis-lists.ts'
import { shareSessions } from './session-ids.ts'
import { SharedTicketKeys } from './ticket-keys.ts'

const { REDIS_URL, SERVICE_SECRET = '', CERT_FILE = '', KEY_FILE = '' } = process.env
if (REDIS_URL === undefined) throw new TypeError('REDIS_URL is not set')
if (!/^[0-9a-f]{64}$/i.test(SERVICE_SECRET)) throw new TypeError('SERVICE_SECRET must be 32 octets in hex')
const secret = Buffer.from(SERVICE_SECRET, 'hex')

const redis = createClient({ url: REDIS_URL })
redis.on('error', (error: unknown) => console.error('redis:', error)) // until it is back, handshakes are full ones
await redis.connect()

// TLS 1.3, and TLS 1.2 with tickets: nothing is stored, all processes have the keys
const ticketKeys = await new SharedTicketKeys({ redis, secret }).start((error) => console.error('ticket keys:', error))
const server = await listen({
  host: '127.0.0.1',
  port: 0,
  certFile: CERT_FILE,
  keyFile: KEY_FILE,
  ticketKeys: ticketKeys.find,
})
server.on('connection', (socket) => {
  socket.on('error', () => undefined)
  socket.end(`process ${process.pid}, ${socket.sessionReused ? 'resumed' : 'new'}\n`)
})

// TLS 1.2 without tickets: the sessions are in Redis, sealed
const store = new EncryptedSessionStore({
  store: redisLists(redis),
  key: Buffer.from(hkdfSync('sha256', secret, '', 'sessions', 32)),
  prefix: 'server-session:',
})
const policy = sessionIdContext({ service: 'example', clientCertificates: 'none' })
const older = createServer(
  {
    cert: readFileSync(CERT_FILE),
    key: readFileSync(KEY_FILE),
    sessionIdContext: policy,
    secureOptions: constants.SSL_OP_NO_TICKET,
    maxVersion: 'TLSv1.2',
  },
  (socket) => {
    socket.on('error', () => undefined)
    socket.end(`process ${process.pid}, ${socket.isSessionReused() ? 'resumed' : 'new'}\n`)
  },
)
shareSessions(older, { store, sessionIdContext: policy })
older.listen(0, '127.0.0.1')
await once(older, 'listening')

console.log(`tickets on ${(server.address() as AddressInfo).port}, ids on ${(older.address() as AddressInfo).port}`)
