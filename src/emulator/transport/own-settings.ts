/**
 * Settings of local SDK clients, which else read them from the environment and from AWS's config
 * files. Those are for AWS: a FIPS endpoint, a retry mode or a broken file there has no meaning for
 * an SQS of this Fanfold. A client's region, endpoint and credentials are its maker's to give.
 */
export const OWN_SETTINGS = {
  authSchemePreference: [],
  defaultsMode: 'standard' as const,
  disableClockSkewCorrection: false,
  ignoreConfiguredEndpointUrls: true,
  maxAttempts: 3,
  retryMode: 'standard',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  // Nothing given would be looked for.
  userAgentAppId: async () => undefined,
};
