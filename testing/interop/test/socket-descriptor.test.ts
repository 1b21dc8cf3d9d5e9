import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createAuthority } from '@x/utils'
import { startTls } from '@x/socket'
import { describe, expect, it } from 'vitest'

const built = existsSync(fileURLToPath(new URL('../../../packages/socket/dist/index.js', import.meta.url)))
if (!built) {
  if (process.env['REQUIRE_PEERS'] === '1') throw new Error('packages/socket is required to be built')
  console.log('skipped: packages/socket is not built, which a process of its own needs')
}

/** What a program does that has inherited a connection as file descriptor 3. */
const inheriting = `
  import { once } from 'node:events'
  import { startTls } from '@x/socket'
  const socket = await startTls(3, { host: 'localhost', ca: process.env.TEST_CA })
  socket.write('hello from fd 3')
  process.stdout.write(String((await once(socket, 'data'))[0]))
  socket.destroy()
`

describe.skipIf(!built)('a file descriptor', () => {
  it('that a process has inherited is a transport', async () => {
    const authority = createAuthority('descriptor tests')
    const { cert, key } = authority.issue('localhost')
    const child = spawn(process.execPath, ['--input-type=module', '-e', inheriting], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...process.env, TEST_CA: authority.ca },
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
      timeout: 20_000,
    })
    let printed = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
    const socket = await startTls(child.stdio[3] as Socket, { isServer: true, cert, key })
    socket.on('error', () => undefined)
    expect(String((await once(socket, 'data'))[0])).toBe('hello from fd 3')
    socket.write('hello back')
    const [code] = (await once(child, 'close')) as [number | null]
    expect([code, printed]).toEqual([0, 'hello back'])
    socket.destroy()
  })
})
