import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { createAuthority } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { connect, type ConnectOptions, PeerRefusedError, SecureSocket } from '../src/index.ts'
import { authority, identity, rejection, tlsServer } from './support.ts'

const ca = authority.cert
const host = '127.0.0.1'
const locked = createPrivateKey(identity.key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'locked' })
  .toString()

describe('connect', () => {
  it('resolves with a net.Socket that echoes and tells why it trusts its peer', async () => {
    await using server = await tlsServer()
    const socket = await connect({ host: 'localhost', port: server.port, ca })
    expect(socket).toBeInstanceOf(Socket)
    expect(socket).toBeInstanceOf(SecureSocket)
    expect(socket.phase).toBe('secure')
    expect(socket.authorized).toBe(true)
    socket.write('hello')
    expect(String((await once(socket, 'data'))[0])).toBe('hello')
    const { outcomes, resumed } = socket.verification ?? expect.unreachable()
    expect(resumed).toBe(false)
    expect(outcomes.name).toEqual({
      result: 'passed',
      evidence: { host: 'localhost', scheme: 'default', entry: 'localhost' },
    })
    expect(outcomes.chain).toMatchObject({ result: 'passed', evidence: { proven: 'now' } })
    expect(outcomes.chain.result === 'passed' && outcomes.chain.evidence.path.length).toBe(2)
    socket.destroy()
    await once(socket, 'close')
    expect(socket.phase).toBe('closed')
  })

  it('takes host:port', async () => {
    await using server = await tlsServer()
    const socket = await connect(`127.0.0.1:${server.port}`, { ca })
    expect(socket.servername).toBe(false)
    socket.destroy()
  })

  it.each([
    ['another name', { verify: { name: 'other.example.org' } }, 'ERR_TLS_CERT_ALTNAME_INVALID', 'name'],
    ['an unknown CA', { ca: createAuthority('stranger').cert }, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'chain'],
    ['no CA at all', { ca: [] }, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'chain'],
  ])('refuses %s, and the peer has received nothing', async (_what, options, code, check) => {
    await using server = await tlsServer()
    const error = await rejection(connect({ host: 'localhost', port: server.port, ca, ...options }))
    expect(error).toBeInstanceOf(PeerRefusedError)
    expect(error).toMatchObject({ code, check, phase: 'verify', host: 'localhost', port: server.port })
    expect(server.received()).toBe('')
  })

  it.each<[string, Partial<ConnectOptions>]>([
    ['a passphrase', { cert: identity.cert, key: locked, passphrase: () => new Promise(() => undefined) }],
    ['a dialogue', { starttls: () => new Promise(() => undefined) }],
  ])('rejects when it is aborted while %s does not come', async (_what, options) => {
    await using server = await tlsServer()
    const controller = new AbortController()
    const refused = rejection(connect({ host, port: server.port, ca, ...options, signal: controller.signal }))
    setTimeout(() => controller.abort(), 50)
    expect((await refused).name).toBe('AbortError')
  })
})
