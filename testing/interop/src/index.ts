export { TemporaryFolder } from './folder.ts'
export { peer, type PeerName, perlHas } from './peers.ts'
export { type Finished, freePort, run, RunningPeer, startServer } from './process.ts'
