import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as util from 'node:util'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { connect, type HandshakeMessage, listen } from '../src/index.ts'
import { authority, identity, rejection, tlsServer } from './support.ts'

const ca = authority.ca
const folder = mkdtempSync(join(tmpdir(), 'socket-keylog-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('diagnostics_channel', () => {
  const seen: string[] = []
  const names = ['start', 'end', 'error'] as const
  const listeners = names.map((name) => (message: unknown) => {
    const { role, host, socket, error } = message as HandshakeMessage
    const trusted = socket.verification === undefined ? 'unknown' : 'trusted'
    seen.push([name, role, host, trusted, (error as { code?: string } | undefined)?.code].join(' ').trim())
  })
  const each = (run: typeof subscribe | typeof unsubscribe): void => {
    for (const [index, name] of names.entries())
      run(`x.socket.handshake.${name}`, listeners[index] as (message: unknown) => void)
  }
  afterEach(() => {
    each(unsubscribe)
    seen.length = 0
  })

  it('tells of start and end, with the verification', async () => {
    await using server = await tlsServer()
    each(subscribe)
    ;(await connect({ host: 'localhost', port: server.port, ca })).destroy()
    expect(seen).toEqual(['start client localhost unknown', 'end client localhost trusted'])
  })

  it.each([
    ['a refused peer', { verify: { name: 'other.example.org' } }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['a failed handshake', { maxVersion: 'TLSv1.2' }, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'],
  ] as const)('tells of %s', async (_what, more, code) => {
    await using server = await tlsServer({ minVersion: 'TLSv1.3' })
    each(subscribe)
    await rejection(connect({ host: 'localhost', port: server.port, ca, ...more }))
    expect(seen).toEqual(['start client localhost unknown', `error client localhost unknown ${code}`])
  })

  it('tells of a server’s side too', async () => {
    await using server = await listen({ host: '127.0.0.1', port: 0, cert: identity.cert, key: identity.key })
    each(subscribe)
    const accepted = once(server, 'connection')
    const { port } = server.address() as { port: number }
    const socket = await connect({ host: 'localhost', port, ca })
    await accepted
    socket.destroy()
    expect(seen).toContain('start server 127.0.0.1 unknown')
    expect(seen).toContain('end server 127.0.0.1 trusted')
  })
})

describe('NODE_DEBUG=x-socket', () => {
  afterEach(() => {
    vi.doUnmock('node:util')
    vi.resetModules()
  })

  it('prints a line for each start and end, and nothing secret', async () => {
    const sections: string[] = []
    const lines: string[] = []
    vi.resetModules()
    vi.doMock('node:util', async (original) => ({
      ...(await original<typeof util>()),
      debuglog: (section: string) => {
        sections.push(section)
        const print = (...args: Parameters<typeof util.format>): void => void lines.push(util.format(...args))
        return Object.assign(print, { enabled: true })
      },
    }))
    const debugged = await import('../src/index.ts')
    expect(sections).toEqual(['x-socket'])
    await using server = await tlsServer({ ciphers: 'HIGH:TLS_AES_128_GCM_SHA256' })
    const where = { host: 'localhost', port: server.port, ca, psk: { identity: 'me', key: Buffer.from('very secret') } }
    ;(await debugged.connect(where)).destroy()
    await rejection(debugged.connect({ ...where, verify: { name: 'other.example.org' } }))
    const target = `client localhost:${server.port}`
    expect(lines).toEqual([
      `#1 ${target}: handshake starts`,
      `#1 ${target}: trusted; fingerprint waived, chain passed, name passed, revocation waived`,
      `#2 ${target}: handshake starts`,
      expect.stringContaining(`#2 ${target}: ERR_TLS_CERT_ALTNAME_INVALID`),
    ])
    expect(lines.join()).not.toContain('very secret')
  })
})

describe('keylog', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    Reflect.deleteProperty(globalThis, Symbol.for('@x/socket:keylog'))
  })
  const transfer = async (keylog?: boolean): Promise<void> => {
    await using server = await tlsServer()
    const where = { host: 'localhost', port: server.port, ca }
    ;(await connect({ ...where, ...(keylog === undefined ? {} : { keylog }) })).destroy()
  }

  it('without the option the variable does nothing (rule 24)', async () => {
    const path = join(folder, 'unasked')
    vi.stubEnv('SSLKEYLOGFILE', path)
    await transfer()
    await transfer(false)
    expect(() => statSync(path)).toThrow('ENOENT')
  })

  it('with it, secrets go to a file of mode 0600, and one warning is emitted', async () => {
    const path = join(folder, 'asked')
    writeFileSync(path, '')
    chmodSync(path, 0o644) // one that was there before
    vi.stubEnv('SSLKEYLOGFILE', path)
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    try {
      await transfer(true)
      await transfer(true)
      expect(statSync(path).mode & 0o777).toBe(0o600)
      expect(readFileSync(path, 'utf8').match(/^CLIENT_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+$/gm)).toHaveLength(2)
      const codes = warn.mock.calls.map(([, options]) => (options as unknown as { code: string }).code)
      expect(codes).toEqual(['X_SOCKET_KEYLOG'])
    } finally {
      warn.mockRestore()
    }
  })

  it('on the record engine and on a server as well', async () => {
    const path = join(folder, 'both')
    vi.stubEnv('SSLKEYLOGFILE', path)
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const keys = { cert: identity.cert, key: identity.key }
    await using server = await listen({ host: '127.0.0.1', port: 0, ...keys, keylog: true })
    const { port } = server.address() as { port: number }
    ;(await connect({ host: 'localhost', port, ca, stoppable: true, keylog: true })).destroy()
    warn.mockRestore()
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    const secrets = lines.filter((line) => line.startsWith('SERVER_HANDSHAKE_TRAFFIC_SECRET'))
    expect(secrets).toHaveLength(2)
    expect(secrets[0]).toBe(secrets[1])
  })

  it('without the variable nothing is written, and a link or a directory refuses', async () => {
    vi.stubEnv('SSLKEYLOGFILE', '')
    await transfer(true)
    vi.stubEnv('SSLKEYLOGFILE', folder)
    expect(await rejection(transfer(true))).toMatchObject({ code: 'EISDIR' })
    const link = join(folder, 'link')
    symlinkSync(join(folder, 'elsewhere'), link)
    vi.stubEnv('SSLKEYLOGFILE', link)
    expect(await rejection(transfer(true))).toMatchObject({ code: 'ELOOP' })
  })
})
