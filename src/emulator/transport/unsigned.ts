/**
 * A signer for SDK clients of a service that asks for no signatures: in this process, or on
 * loopback. Signing hashes every byte that is sent, which costs more than all else that a local
 * call does.
 */
export const unsigned = {
  sign: async <Request>(request: Request): Promise<Request> => request,
};
