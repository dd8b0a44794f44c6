// A certified OpenID provider on 127.0.0.1: node server.mjs PORT REDIRECT_URI. Whoever gives a name has it.
// Clients: `post` and `basic` send their secret in the form and in a header; PKCE is demanded of both.
import Provider from "oidc-provider";

const [port, redirectUri] = process.argv.slice(2);
const client = (id, way) => ({
  client_id: id,
  client_secret: `${id}-secret`,
  redirect_uris: [redirectUri],
  token_endpoint_auth_method: way,
});
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client("post", "client_secret_post"), client("basic", "client_secret_basic")],
  pkce: { required: () => true },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username"] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: `Name of ${id}`,
      preferred_username: id,
      email: `${id}@corp.example`,
      email_verified: id !== "mallory",
    }),
  }),
});
provider.listen(Number(port), "127.0.0.1");
