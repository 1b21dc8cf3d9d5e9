import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { PlainTransport } from '../src/engine/plain.ts'
import { engineContract, Recorder } from './engine-contract.ts'
import { handshaken, makeNative, makeRecord, makeStoppable, tcpPair, tlsRig } from './rigs.ts'
import { identity, rejection } from './support.ts'

engineContract('plain', async () => {
  const { ours, theirs, close } = await tcpPair()
  return { engine: new PlainTransport(ours), peer: theirs, close }
})

const engines = [
  ['native', makeNative],
  ['record', makeRecord],
  ['record, stoppable', makeStoppable],
] as const
const roles = ['client', 'server'] as const
const versions = ['TLSv1.2', 'TLSv1.3'] as const

for (const [name, make] of engines)
  for (const role of roles)
    for (const version of versions) {
      engineContract(`${name}, ${role}, ${version}`, () => handshaken(make, role, version))

      describe(`TLS engine: ${name}, ${role}, ${version}`, () => {
        it('claims the chain as sent and what OpenSSL thinks of it', async () => {
          const rig = await tlsRig(make, role, version)
          rig.engine.attach(new Recorder())
          const claim = await rig.engine.handshake(new AbortController().signal)
          if (role === 'client') {
            expect(Buffer.from(claim.chain[0] as Uint8Array)).toEqual(identity.certificate.raw)
            expect(claim.opensslError).toBe(undefined)
          } else expect(claim.chain).toEqual([])
          expect([claim.source, claim.pskUsed, claim.staple]).toEqual(['handshake', false, undefined])
          rig.close()
        })

        it('holds a greeting that comes right behind the handshake', async () => {
          const rig = await tlsRig(make, role, version)
          const sink = new Recorder()
          rig.engine.attach(sink)
          rig.peer.once(role === 'client' ? 'secure' : 'secureConnect', () => rig.peer.write('greeting'))
          await rig.engine.handshake(new AbortController().signal)
          const asked = once(rig.peer, 'data')
          rig.engine.write([Buffer.from('?')], () => undefined)
          await asked
          expect(sink.received).toBe('')
          rig.engine.pull()
          await sink.until(() => sink.received === 'greeting')
          rig.close()
        })

        it('rejects the handshake when it is aborted, with the reason', async () => {
          const rig = await tlsRig(make, role, version)
          rig.engine.attach(new Recorder())
          const reason = new Error('enough')
          expect(await rejection(rig.engine.handshake(AbortSignal.abort(reason)))).toBe(reason)
          rig.close()
        })

        it('rejects the handshake when the peer talks something else, or goes away', async () => {
          for (const act of ['talk', 'close'] as const) {
            const pair = await tcpPair()
            const engine = make(pair.ours, role, version)
            engine.attach(new Recorder())
            const failed = rejection(engine.handshake(new AbortController().signal))
            if (act === 'talk') pair.theirs.write('HTTP/1.1 400 Bad Request\r\n\r\n')
            else pair.theirs.end()
            const { code } = await failed
            expect(code).toMatch(/^(ERR_SSL_|ERR_SECURE_SOCKET_(HANDSHAKE_INTERRUPTED|NOT_TLS)|ECONNRESET)/)
            engine.destroy(null)
            pair.close()
          }
        })
      })
    }

describe('the native engine', () => {
  it('says what to ask for when it is asked to stop', async () => {
    const rig = await handshaken(makeNative, 'client', 'TLSv1.3')
    expect(await rejection(rig.engine.stop(true, new AbortController().signal))).toMatchObject({
      code: 'ERR_SECURE_SOCKET_ENGINE',
      hint: expect.stringContaining('stoppable'),
    })
    expect(rig.engine.surrender()).toBe(undefined)
    rig.close()
  })
})
