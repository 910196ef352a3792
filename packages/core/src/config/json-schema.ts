import { z } from 'zod';
import { toSnakeCase } from './fields.ts';
import { configSchema } from './session-config.ts';
import { section } from './yaml-layer.ts';

type Schema = Readonly<Record<string, unknown>>;

/** The JSON Schema of an `application.yaml`, for editors: our section as the configuration's own schema has it. */
export function configJsonSchema(): Schema {
  const { $schema, ...own } = z.toJSONSchema(configSchema, { io: 'input' }) as Schema;
  return {
    $schema,
    title: 'application.yaml with the configuration of lexigram-ai-session',
    type: 'object',
    properties: { [section]: { ...(inSnakeCase(own) as Schema), type: ['object', 'null'] } },
  };
}

/** The same schema with the names of fields as files write them. */
function inSnakeCase(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(inSnakeCase);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'required') return [key, (value as string[]).map(toSnakeCase)];
      if (key !== 'properties') return [key, key === 'default' ? value : inSnakeCase(value)];
      const fields = Object.entries(value as Schema);
      return [
        key,
        Object.fromEntries(fields.map(([name, one]) => [toSnakeCase(name), inSnakeCase(one)])),
      ];
    }),
  );
}
