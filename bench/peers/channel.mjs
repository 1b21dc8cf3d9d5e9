// How a process of Node is asked by the bench and answers: a line each, without the process's own streams. Those are sockets too, and with each line
// V8 would throw away what it has made of sockets: a client's handshakes were a fifth dearer for the two thousand that followed.
import { read, readSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

/** What is asked, one after the other, until the other side closes. It waits without the event loop, once what is closing is closed. */
export async function* questions() {
  const line = Buffer.alloc(32)
  for (;;) {
    await setImmediate()
    const size = readSync(0, line)
    if (size === 0) return
    yield line.toString('latin1', 0, size).trim()
  }
}

/** The same for a server, which goes on meanwhile. The process ends with the channel. */
export function onQuestion(listener) {
  const line = Buffer.alloc(32)
  const next = () =>
    read(0, line, (error, size) => {
      if (error !== null || size === 0) process.exit()
      listener(line.toString('latin1', 0, size).trim())
      next()
    })
  next()
}

export function answer(value) {
  writeSync(1, `${value}\n`)
}
