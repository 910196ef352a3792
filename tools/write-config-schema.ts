import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchema } from '../packages/core/src/config/json-schema.ts';

// npm run schema: writes the JSON Schema for editors anew after the configuration's fields have changed.
const path = join(import.meta.dirname, '..', 'packages', 'core', 'application.schema.json');
writeFileSync(path, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
