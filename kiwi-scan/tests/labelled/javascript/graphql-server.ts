import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { resolvers, typeDefs } from './schema';

async function bootstrap() {
  const server = new ApolloServer({
    typeDefs,
    resolvers,
    introspection: false,
    includeStacktraceInErrorResponses: true,
  });
  const { url } = await startStandaloneServer(server, { listen: { port: 4000 } });
  console.log('listening on', url);
}

bootstrap();
