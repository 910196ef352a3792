import { runFill } from './command.ts';

// npm run bench -- fill --store <url>: fills a store, and measures nothing.
process.exitCode = await runFill(process.argv.slice(2));
