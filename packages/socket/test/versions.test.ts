import { constants } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { connect, features, protocolVersions, SecureSocketError } from '../src/index.ts'
import { authority, rejection, tlsServer } from './support.ts'

const { SSL_OP_NO_TLSv1_1: no11, SSL_OP_NO_TLSv1_2: no12 } = constants

describe('protocolVersions', () => {
  it.each([
    ['SSLv23', 'TLSv1', 'TLSv1.3', undefined],
    ['SSLv2/3', 'TLSv1', 'TLSv1.3', undefined],
    ['SSLv23:!SSLv3:!SSLv2', 'TLSv1', 'TLSv1.3', undefined],
    ['SSLv23:!TLSv1:!TLSv1_1:!SSLv3:!SSLv2', 'TLSv1.2', 'TLSv1.3', undefined],
    ['SSLv23:!TLSv1_1', 'TLSv1', 'TLSv1.3', no11],
    ['SSLv23:!SSLv2:!SSLv3:!TLSv1_1:!TLSv1_2', 'TLSv1', 'TLSv1.3', no11 | no12],
    ['SSLv23:!TLSv1:!TLSv1_2', 'TLSv1.1', 'TLSv1.3', no12],
    ['SSLv23:!TLSv13', 'TLSv1', 'TLSv1.2', undefined],
    ['!TLSv1', 'TLSv1.1', 'TLSv1.3', undefined],
    ['TLSv1', 'TLSv1', 'TLSv1', undefined],
    ['TLSv1_1', 'TLSv1.1', 'TLSv1.1', undefined],
    ['tlsv12', 'TLSv1.2', 'TLSv1.2', undefined],
    ['TLSv1_3', 'TLSv1.3', 'TLSv1.3', undefined],
    ['TLSv1_2 : !TLSv1_1', 'TLSv1.2', 'TLSv1.2', undefined],
    ['TLSv1_2:tlsv12', 'TLSv1.2', 'TLSv1.2', undefined],
  ])('%s', (text, minVersion, maxVersion, secureOptions) => {
    const versions = protocolVersions(text)
    expect(versions).toEqual({ minVersion, maxVersion, ...(secureOptions === undefined ? {} : { secureOptions }) })
    expect(() => createSecureContext({ ...versions })).not.toThrow()
  })

  it.each(['SSLv2', 'sslv3', 'SSLv3:!TLSv1_1'])('%s is what no Node can do', (text) => {
    const error = thrown(() => protocolVersions(text))
    expect(error).toBeInstanceOf(SecureSocketError)
    expect(error).toMatchObject({ code: 'ERR_SECURE_SOCKET_UNSUPPORTED', hint: expect.stringContaining('features()') })
  })

  it.each([
    '',
    'TLSv2',
    'SSLv23:!TLSv1_4',
    'SSLv23!TLSv1',
    'SSLv23:',
    '__proto__',
    'TLSv1_1:TLSv1_2',
    'SSLv23:TLSv1_2',
    '!SSLv23',
    'TLSv1_2:!TLSv1_2',
    'SSLv23:!TLSv1:!TLSv1_1:!TLSv1_2:!TLSv1_3',
  ])('%j is misuse', (text) => {
    const error = thrown(() => protocolVersions(text))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })

  it('anything but a string is misuse', () => {
    expect(thrown(() => protocolVersions(12 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
  })

  it.each([
    ['TLSv1_2', {}, 'TLSv1.2'],
    ['SSLv23:!TLSv1_3', {}, 'TLSv1.2'],
    ['SSLv23', {}, 'TLSv1.3'],
  ] as const)('connect with %s', async (text, limits, expected) => {
    await using server = await tlsServer(limits)
    const ca = authority.ca
    const socket = await connect({ host: 'localhost', port: server.port, ca, ...protocolVersions(text) })
    expect(socket.getProtocol()).toBe(expected)
    socket.destroy()
  })

  it('a version that is excluded in between is not spoken', async () => {
    await using server = await tlsServer({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })
    const ca = authority.ca
    const versions = protocolVersions('SSLv23:!TLSv1_2')
    const error = await rejection(connect({ host: 'localhost', port: server.port, ca, ...versions }))
    expect(error).toMatchObject({ phase: 'handshake' })
  })
})

describe('features', () => {
  it('says what there is, and names what there is not', () => {
    const found = features()
    expect(found).toMatchObject({ sni: true, alpn: true, npn: false, psk: true, postHandshakeAuthentication: false })
    expect(found.protocols).toContain('TLSv1.3')
    expect(found.groups).toEqual(expect.arrayContaining(['X25519', 'prime256v1']))
    expect(found.openssl).toMatch(/^\d/)
    expect(features()).toBe(found)
    expect(Object.isFrozen(found)).toBe(true)
  })

  it('every group listed can be asked for', () => {
    for (const ecdhCurve of features().groups) expect(() => createSecureContext({ ecdhCurve })).not.toThrow()
  })

  it('asking for NPN names it', async () => {
    const error = await rejection(connect({ host: 'localhost', port: 1, NPNProtocols: ['h2'] } as never))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining('features()') })
  })
})

function thrown(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('did not throw')
}
