"""Every channel type, one row each. The numbers are in operators' databases and never change."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from one_api.dialects.anthropic import betas
from one_api.providers import clouds, faults, paths, waiting
from one_api.providers.modes import Mode
from one_api.providers.row import Callers, Provider, Wire

_CHAT, _EMBEDDINGS, _RESPONSES = Mode.CHAT, Mode.EMBEDDINGS, Mode.RESPONSES
_MINIMAX = paths.only("minimax", {_CHAT: "/v1/text/chatcompletion_v2"})
_DOUBAO = paths.only(
    "doubao",
    {
        _CHAT: "/api/v3/chat/completions",
        _EMBEDDINGS: "/api/v3/embeddings",
        _RESPONSES: "/api/v3/responses",  # https://www.volcengine.com/docs/82379/1569618
    },
)
_NOVITA = paths.only("novita", {_CHAT: "/chat/completions"})
_BAIDU_V2 = paths.only("baidu v2", {_CHAT: "/v2/chat/completions"})
_BAILIAN = paths.only(
    "ali bailian",
    {
        _CHAT: "/compatible-mode/v1/chat/completions",
        _EMBEDDINGS: "/compatible-mode/v1/embeddings",
        Mode.RERANK: "/compatible-api/v1/reranks",
        # https://help.aliyun.com/zh/model-studio/compatibility-with-openai-responses-api
        _RESPONSES: "/api/v2/apps/protocols/compatible-mode/v1/responses",
    },
)
_ZHIPU = paths.own(
    "zhipu",
    {
        _CHAT: "/api/paas/v4/chat/completions",
        _EMBEDDINGS: "/api/paas/v4/embeddings",
        Mode.IMAGES: "/api/paas/v4/images/generations",
    },
)
_COHERE = paths.own("cohere", {_CHAT: "/v2/chat", _EMBEDDINGS: "/v2/embed", Mode.RERANK: "/v2/rerank"})
_COZE = paths.own("coze", {_CHAT: "/v3/chat"})
_DEEPL = paths.own("deepl", {_CHAT: "/v2/translate"})
_LIBRARY = paths.own("aiproxy", {_CHAT: "/api/library/ask"})
_PERPLEXITY = paths.own("perplexity", {_CHAT: "/chat/completions"})
_JINA = paths.own("jina", {_EMBEDDINGS: "/v1/embeddings", Mode.RERANK: "/v1/rerank"})
_VOYAGE = paths.own("voyage", {_EMBEDDINGS: "/v1/embeddings", Mode.RERANK: "/v1/rerank"})
_HUNYUAN = paths.own("tencent", {_CHAT: "/", _EMBEDDINGS: "/"})
_SPARK = paths.own("xunfei", {_CHAT: "/v1/chat/completions"})
_OLLAMA = paths.own("ollama", {_CHAT: "/api/chat", _EMBEDDINGS: "/api/embed"})
_PALM_GONE: Final = "Google has shut the PaLM API down, use a channel of type Gemini"
_CLOUDFLARE: Final = "https://api.cloudflare.com"
_GOOGLE: Final = "https://generativelanguage.googleapis.com"
_TITLES: Final = ((b"http-referer", b"one-api"), (b"x-title", b"one-api"))
_ANTHROPIC_VERSION: Final = ((b"anthropic-version", b"2023-06-01"),)
_ANTHROPIC: Final[Callers] = ((b"anthropic-version", bytes), (b"anthropic-beta", betas.allowed))
"""What Anthropic's SDK says besides the key: https://platform.claude.com/docs/en/api/overview#authentication."""
_ALL: Final = ("",)
_RESPONDS: Final[Mapping[Wire, tuple[str, ...]]] = {"responses": _ALL}
_QWENS: Final = (
    *("qwen3-max", "qwen3-coder", "qwen-max", "qwen-plus", "qwen-flash", "qwen-turbo"),
    *("qwen3.6-plus", "qwen3.7-plus", "qwen-vl-plus"),
)
_GOOGLE_PARTS: Final = ("region", "vertex_ai_project_id", "vertex_ai_adc")


def _spark_home(_: Mapping[str, str]) -> str:
    """Of channels made for the WebSocket, which had no address of their own."""
    return "https://spark-api-open.xf-yun.com"


_ROWS: Final = (
    Provider(0, "Unknown", ""),
    Provider(1, "OpenAI", "OpenAI", "openai", "https://api.openai.com", paths.openai_or_gateway, at_home=_RESPONDS),
    Provider(2, "API2D", "代理：API2D", "openai", "https://oa.api2d.net"),
    Provider(3, "Azure", "Azure", "azure", "", paths.azure, auth="api-key"),
    Provider(4, "CloseAI", "代理：CloseAI", "openai", "https://api.closeai-proxy.xyz"),
    Provider(5, "OpenAISB", "代理：OpenAI-SB", "openai", "https://api.openai-sb.com"),
    Provider(6, "OpenAIMax", "代理：OpenAI Max", "openai", "https://api.openaimax.com"),
    Provider(7, "OhMyGPT", "代理：OhMyGPT", "openai", "https://api.ohmygpt.com"),
    Provider(8, "Custom", "自定义渠道"),
    Provider(9, "Ails", "代理：AI.LS", "openai", "https://api.caipacity.com"),
    Provider(10, "AIProxy", "代理：AI Proxy", "openai", "https://api.aiproxy.io"),
    Provider(11, "PaLM", "PaLM2", "google palm", _GOOGLE, paths.gone(_PALM_GONE), wires=("palm",)),
    Provider(12, "API2GPT", "代理：API2GPT", "openai", "https://api.api2gpt.com"),
    Provider(13, "AIGC2D", "代理：AIGC2D", "openai", "https://api.aigc2d.com"),
    Provider(
        14,
        "Anthropic",
        "Anthropic",
        "anthropic",
        "https://api.anthropic.com",
        paths.messages,
        wires=("anthropic",),
        auth="x-api-key",
        headers=_ANTHROPIC_VERSION,
        callers=_ANTHROPIC,
    ),
    Provider(
        *(15, "Baidu", "百度文心千帆", "baidu", "https://aip.baidubce.com", paths.ernie), wires=("baidu",), auth="baidu"
    ),
    Provider(
        *(16, "Zhipu", "智谱 ChatGLM", "zhipu", "https://open.bigmodel.cn"),
        # https://docs.bigmodel.cn/cn/guide/develop/claude
        paths.beside(_ZHIPU, "/api/anthropic/v1/messages"),
        at_home={"anthropic": ("glm-4.5", "glm-4.6", "glm-4.7", "glm-5")},
        callers=_ANTHROPIC,
        faults=faults.ZHIPU,
    ),
    Provider(
        17,
        "Ali",
        "阿里通义千问",
        "ali",
        "https://dashscope.aliyuncs.com",
        paths.dashscope,
        wires=("dashscope",),
        faults=faults.ali,
        streaming=((b"x-dashscope-sse", b"enable"),),
        ways={Mode.IMAGES: waiting.dashscope_images},
        configured=((b"x-dashscope-plugin", "plugin"),),
        ranking="dashscope",
    ),
    Provider(18, "Xunfei", "讯飞星火认知", "xunfei", "", _SPARK, wires=("xunfei",), auth="xunfei", home=_spark_home),
    Provider(19, "AI360", "360 智脑", "360", "https://ai.360.cn"),
    Provider(
        *(20, "OpenRouter", "OpenRouter", "openrouter", "https://openrouter.ai/api"),
        # https://openrouter.ai/docs/api/api-reference/anthropic-messages/create-messages
        paths.beside(paths.openai, "/v1/messages"),
        at_home={**_RESPONDS, "anthropic": _ALL},
        headers=_TITLES,
        callers=_ANTHROPIC,
    ),
    Provider(
        21, "AIProxyLibrary", "知识库：AI Proxy", "aiproxy", "https://api.aiproxy.io", _LIBRARY, wires=("aiproxy",)
    ),
    Provider(22, "FastGPT", "知识库：FastGPT", "openai", "https://fastgpt.run/api/openapi"),
    Provider(
        23,
        "Tencent",
        "腾讯混元",
        "tencent",
        "https://hunyuan.tencentcloudapi.com",
        _HUNYUAN,
        wires=("tencent",),
        auth="tencent",
        headers=((b"x-tc-version", b"2023-09-01"),),
        telling={_CHAT: ((b"x-tc-action", b"ChatCompletions"),), _EMBEDDINGS: ((b"x-tc-action", b"GetEmbedding"),)},
    ),
    Provider(24, "Gemini", "Gemini", "google gemini", _GOOGLE, paths.gemini, wires=("gemini",), auth="x-goog-api-key"),
    Provider(
        *(25, "Moonshot", "Moonshot AI", "moonshot", "https://api.moonshot.cn"),
        # https://platform.moonshot.cn/docs/guide/agent-support
        paths.beside(paths.openai, "/anthropic/v1/messages"),
        at_home={"anthropic": ("kimi",)},
        callers=_ANTHROPIC,
    ),
    Provider(26, "Baichuan", "百川大模型", "baichuan", "https://api.baichuan-ai.com"),
    Provider(27, "Minimax", "MiniMax", "minimax", "https://api.minimax.chat", _MINIMAX, faults=faults.minimax),
    Provider(28, "Mistral", "Mistral AI", "mistralai", "https://api.mistral.ai"),
    Provider(29, "Groq", "Groq", "groq", "https://api.groq.com/openai", at_home=_RESPONDS),
    Provider(30, "Ollama", "Ollama", "ollama", "http://localhost:11434", _OLLAMA, wires=("ollama",)),
    Provider(31, "LingYiWanWu", "零一万物", "lingyiwanwu", "https://api.lingyiwanwu.com"),
    Provider(32, "StepFun", "阶跃星辰", "stepfun", "https://api.stepfun.com"),
    Provider(
        33,
        "AwsClaude",
        "AWS",
        "aws",
        "",
        wires=("bedrock", "converse"),
        speaks=clouds.bedrock_speaks,
        path=clouds.bedrock,
        home=clouds.bedrock_home,
        auth="aws",
        key_parts=("ak", "sk", "region"),
    ),
    Provider(34, "Coze", "Coze", "coze", "https://api.coze.com", _COZE, wires=("coze",), faults=faults.COZE),
    Provider(35, "Cohere", "Cohere", "Cohere", "https://api.cohere.ai", _COHERE, wires=("cohere",), ranking="cohere"),
    Provider(
        *(36, "DeepSeek", "DeepSeek", "deepseek", "https://api.deepseek.com"),
        # https://api-docs.deepseek.com/guides/anthropic_api. Other names mean a model of its own choice there.
        paths.beside(paths.openai, "/anthropic/v1/messages"),
        at_home={"anthropic": ("deepseek",)},
        callers=_ANTHROPIC,
    ),
    Provider(37, "Cloudflare", "Cloudflare", "cloudflare", _CLOUDFLARE, paths.workers_ai, faults=faults.CLOUDFLARE),
    Provider(
        38,
        "DeepL",
        "DeepL",
        "deepl",
        "https://api-free.deepl.com",
        _DEEPL,
        wires=("deepl",),
        auth="deepl-auth-key",
        faults=faults.DEEPL,
    ),
    Provider(39, "TogetherAI", "together.ai", "together.ai", "https://api.together.xyz"),
    Provider(40, "Doubao", "字节火山引擎", "doubao", "https://ark.cn-beijing.volces.com", _DOUBAO),
    Provider(41, "Novita", "Novita", "novita", "https://api.novita.ai/v3/openai", _NOVITA),
    Provider(
        42,
        "VertextAI",
        "VertexAI",
        "vertexai",
        "",
        wires=("vertex", "gemini", "openai"),
        speaks=clouds.vertex_speaks,
        path=clouds.vertex,
        home=clouds.vertex_home,
        auth="google",
        key_parts=_GOOGLE_PARTS,
    ),
    Provider(43, "Proxy", "Proxy", "proxy", "", paths.proxied, wires=("proxy",), auth="verbatim"),
    Provider(44, "SiliconFlow", "SiliconFlow", "siliconflow", "https://api.siliconflow.cn"),
    # Its Messages API has been deprecated: https://docs.x.ai/developers/rest-api-reference/inference/legacy
    Provider(45, "XAI", "xAI", "xai", "https://api.x.ai", at_home=_RESPONDS),
    Provider(
        46,
        "Replicate",
        "Replicate",
        "replicate",
        "https://api.replicate.com/v1/models/",
        paths.replicate,
        wires=("replicate",),
        ways={_CHAT: waiting.replicate, Mode.IMAGES: waiting.replicate},
        faults=faults.replicate,
    ),
    Provider(47, "BaiduV2", "百度文心千帆 V2", "baiduv2", "https://qianfan.baidubce.com", _BAIDU_V2),
    Provider(48, "XunfeiV2", "讯飞星火认知 V2", "xunfeiv2", "https://spark-api-open.xf-yun.com"),
    Provider(
        *(49, "AliBailian", "阿里云百炼", "alibailian", "https://dashscope.aliyuncs.com"),
        # https://help.aliyun.com/zh/model-studio/anthropic-api-messages
        paths.beside(_BAILIAN, "/apps/anthropic/v1/messages"),
        at_home={"anthropic": _QWENS},
        callers=_ANTHROPIC,
    ),
    Provider(50, "OpenAICompatible", "OpenAI 兼容", "openai", "", paths.versionless),
    Provider(
        51, "GeminiOpenAICompatible", "Gemini (OpenAI)", "geminiv2", f"{_GOOGLE}/v1beta/openai/", paths.versionless
    ),
    # Ours, from a hundred up: numbers below are One API's, or its forks' for others.
    Provider(100, "Perplexity", "Perplexity", "perplexity", "https://api.perplexity.ai", _PERPLEXITY),
    Provider(101, "Jina", "Jina AI", "jina", "https://api.jina.ai", _JINA),
    Provider(102, "Voyage", "Voyage AI", "voyage", "https://api.voyageai.com", _VOYAGE, ranking="voyage"),
    Provider(103, "VLLM", "vLLM", "vllm", "http://localhost:8000", at_home=_RESPONDS),
    Provider(104, "LMStudio", "LM Studio", "lmstudio", "http://localhost:1234", at_home=_RESPONDS),
    Provider(105, "Cerebras", "Cerebras", "cerebras", "https://api.cerebras.ai"),
    Provider(106, "Fireworks", "Fireworks AI", "fireworks", "https://api.fireworks.ai/inference"),
    Provider(107, "TokenHub", "腾讯云 TokenHub", "tencent", "https://tokenhub.tencentmaas.com"),
)
PROVIDERS: Final[Mapping[int, Provider]] = MappingProxyType({row.id: row for row in _ROWS})


def provider(channel_type: int) -> Provider:
    """The row of a channel type; one that nobody knows is like One API's Unknown, OpenAI without an address."""
    return PROVIDERS.get(channel_type, PROVIDERS[0])
