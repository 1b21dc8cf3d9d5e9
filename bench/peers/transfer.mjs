// The side under test of a transfer, in JavaScript, in a process of its own: so no other subject's code has shaped what the optimizer makes of this one's.
// `node transfer.mjs {"subject", "work", "size", "port", "ca", "stoppable"}`: each line on stdin is a number of bytes to move over a new connection;
// answered with the CPU microseconds (user and system) that it took, handshake and close not included.
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { answer, questions } from './channel.mjs'

const { subject, work, size, port, ca, stoppable } = JSON.parse(process.argv[2])
const options = { host: '127.0.0.1', port, servername: 'localhost', ca, noDelay: true }
// loaded in either case: a collection costs by what the heap holds
const { connect } = await import('@x/socket')
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

const open = async (more) => {
  if (subject !== 'node:tls') return await connect({ ...options, ...more, ...(stoppable ? { stoppable } : {}) })
  const socket = connectTls({ ...options, ...more })
  await once(socket, 'secureConnect')
  return socket.setNoDelay(true)
}

const head = (kind, bytes) => {
  const bytesOfHead = Buffer.alloc(9, kind)
  bytesOfHead.writeBigUInt64BE(BigInt(bytes), 1)
  return bytesOfHead
}

// The caller's buffer is kept, as a program that uses `onread` keeps it.
const buffer = Buffer.alloc(65_536)
const chunk = Buffer.alloc(size ?? 0, 'x')

const works = {
  async receive(bytes) {
    const socket = await open()
    let got = 0
    return await measured(socket, () => {
      socket.write(head('S', bytes))
      return new Promise((resolve) => {
        socket.on('data', (data) => {
          got += data.length
          if (got >= bytes) resolve()
        })
      })
    })
  },
  async onread(bytes) {
    let got = 0
    let finish
    const all = new Promise((resolve) => (finish = resolve))
    const callback = (length) => {
      got += length
      if (got >= bytes) finish()
      return true
    }
    const socket = await open({ onread: { buffer, callback } })
    return await measured(socket, () => {
      socket.write(head('S', bytes))
      return all
    })
  },
  // as stream.pipe() and every program that heeds write()'s answer
  async send(bytes) {
    const socket = await open()
    const answered = once(socket, 'data')
    return await measured(socket, () => {
      socket.write(head('R', bytes))
      let left = bytes
      const more = () => {
        let room = true
        while (room && left > 0) {
          left -= size
          room = socket.write(chunk)
        }
        if (!room) socket.once('drain', more)
      }
      more()
      return answered
    })
  },
}

async function measured(socket, transfer) {
  const before = process.cpuUsage()
  await transfer()
  const { user, system } = process.cpuUsage(before)
  socket.destroy()
  return user + system
}

for await (const bytes of questions()) {
  collect({ type: 'minor' })
  answer(await works[work](Number(bytes)))
}
process.exit()
