const DPV = 'https://w3id.org/dpv#';

/** What a property refers to is a thing of the web of data, and no text. */
const THING = { '@type': '@id' } as const;
const MOMENT = { '@type': 'xsd:dateTime' } as const;

/**
 * The context of consent records (JSON-LD 1.1). Each property whose value is written as a text says what the text is, so that whoever expands the
 * record gets IRIs and typed values and not strings. It is whole: nothing has to be fetched in order to read a record.
 */
export const CONSENT_CONTEXT = {
  '@version': 1.1,
  dpv: DPV,
  pd: 'https://w3id.org/dpv/pd#',
  dct: 'http://purl.org/dc/terms/',
  schema: 'https://schema.org/',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  'dct:conformsTo': THING,
  'dct:publisher': THING,
  'dct:created': MOMENT,
  'dct:title': { '@container': '@language' },
  'dpv:hasDataController': THING,
  'dpv:hasLegalBasis': THING,
  'dpv:isIndicatedAtTime': MOMENT,
  'dpv:isExercisedAt': THING,
  'dpv:isIndicatedBy': THING,
  'schema:url': THING,
  'rdf:value': { '@type': 'xsd:duration' },
} as const;
