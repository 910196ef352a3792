import { join } from 'node:path';
import { findFaults } from './find-faults.ts';

const root = process.argv[2] ?? join(import.meta.dirname, '..');
const faults = findFaults(root);
for (const fault of faults) console.error(fault);
console.log(faults.length === 0 ? 'Imports keep the house rules.' : `${faults.length} faults.`);
process.exitCode = faults.length === 0 ? 0 : 1;
