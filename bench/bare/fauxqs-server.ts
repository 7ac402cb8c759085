// node fauxqs-server.ts
//
// fauxqs in its own process, started as in its README. Prints its URL; exits when its stdin ends.
import { startFauxqs } from 'fauxqs';

const server = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
console.log(`http://127.0.0.1:${server.port}`);
process.stdin.on('end', () => void server.stop()).resume();
