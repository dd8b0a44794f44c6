"""Every channel type, one row each. The numbers are in operators' databases and never change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

from one_api.dialects.anthropic import betas
from one_api.dialects.openai_errors import decode_error
from one_api.providers import clouds, faults, paths
from one_api.providers.auth import Auth
from one_api.providers.faults import Reader
from one_api.providers.flows import Headers
from one_api.providers.modes import Mode
from one_api.providers.paths import PathRule

Wire = Literal[
    "openai",
    "aiproxy",
    "anthropic",
    "baidu",
    "bedrock",
    "cohere",
    "converse",
    "coze",
    "dashscope",
    "deepl",
    "gemini",
    "ollama",
    "palm",
    "proxy",
    "replicate",
    "responses",
    "tencent",
    "vertex",
    "xunfei",
]
Callers = tuple[tuple[bytes, Callable[[bytes], bytes]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who answers behind a channel type. `key` names the type, `name` is what the console shows.

    wires: the dialects it speaks, best first. speaks: which of them a model does, where that decides. at_home: those it
    speaks at its own address too, for all its models. headers: what it always wants. callers: those that a caller may
    set himself, each with what is made of his value; b"" is not sent. faults: how the errors of refused requests are
    read. streaming: headers that ask for a stream. configured: headers whose value is a setting of the channel, by its
    name. home: its address where that depends on the channel's settings. key_parts: settings that the key may hold,
    joined by bars.
    """

    id: int
    key: str
    name: str
    owned_by: str
    base_url: str
    wires: tuple[Wire, ...]
    path: PathRule
    at_home: tuple[Wire, ...] = ()
    auth: Auth = "bearer"
    headers: Headers = ()
    callers: Callers = ()
    faults: Reader = decode_error
    streaming: Headers = ()
    configured: tuple[tuple[bytes, str], ...] = ()
    speaks: Callable[[str], Wire] | None = None
    home: Callable[[Mapping[str, str]], str] | None = None
    key_parts: tuple[str, ...] = ()

    def wire(self, spoken: str, model: str) -> str:
        """What to speak with it for a caller of `spoken`: the same if it can, so that nothing is lost."""
        if self.speaks is not None:
            return self.speaks(model)
        return spoken if spoken in self.wires else self.wires[0]


def _row(
    number: int,
    key: str,
    name: str,
    owned_by: str = "openai",
    base_url: str = "",
    path: PathRule = paths.openai,
    *,
    auth: Auth = "bearer",
    headers: Headers = (),
) -> Provider:
    """A provider that speaks OpenAI's protocol."""
    return Provider(
        id=number,
        key=key,
        name=name,
        owned_by=owned_by,
        base_url=base_url,
        wires=("openai",),
        path=path,
        auth=auth,
        headers=headers,
    )


def _responding(row: Provider) -> Provider:
    """One that has OpenAI's Responses API too, for all its models."""
    return replace(row, at_home=("responses",))


def _other(
    number: int, key: str, name: str, owned_by: str, base_url: str, wire: Wire, path: PathRule | None = None
) -> Provider:
    """A provider with a protocol of its own."""
    rule = paths.proxied if wire == "proxy" else path or paths.foreign(key)
    auth: Auth = "verbatim" if wire == "proxy" else "bearer"
    return Provider(
        id=number, key=key, name=name, owned_by=owned_by, base_url=base_url, wires=(wire,), path=rule, auth=auth
    )


def _anthropic(number: int, key: str, name: str, owned_by: str, base_url: str) -> Provider:
    """A provider that speaks Anthropic's Messages API: https://platform.claude.com/docs/en/api/overview#authentication."""
    return Provider(
        id=number,
        key=key,
        name=name,
        owned_by=owned_by,
        base_url=base_url,
        wires=("anthropic",),
        path=paths.messages,
        auth="x-api-key",
        headers=((b"anthropic-version", b"2023-06-01"),),
        callers=((b"anthropic-version", bytes), (b"anthropic-beta", betas.allowed)),
    )


def _gemini(number: int, key: str, name: str, owned_by: str, base_url: str) -> Provider:
    """A provider that speaks Google's Gemini API: https://ai.google.dev/api#auth."""
    return Provider(
        id=number,
        key=key,
        name=name,
        owned_by=owned_by,
        base_url=base_url,
        wires=("gemini",),
        path=paths.gemini,
        auth="x-goog-api-key",
    )


_CHAT, _EMBEDDINGS, _RESPONSES = Mode.CHAT, Mode.EMBEDDINGS, Mode.RESPONSES
_OPENROUTER: Final = ((b"http-referer", b"one-api"), (b"x-title", b"one-api"))
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
_COHERE = paths.own("cohere", {_CHAT: "/v2/chat", _EMBEDDINGS: "/v2/embed"})
_COZE = paths.own("coze", {_CHAT: "/v3/chat"})
_DEEPL = paths.own("deepl", {_CHAT: "/v2/translate"})
_LIBRARY = paths.own("aiproxy", {_CHAT: "/api/library/ask"})
_OLLAMA = paths.own("ollama", {_CHAT: "/api/chat", _EMBEDDINGS: "/api/embed"})
_PALM_GONE: Final = "Google has shut the PaLM API down, use a channel of type Gemini"
_CLOUDFLARE: Final = "https://api.cloudflare.com"
_GOOGLE: Final = "https://generativelanguage.googleapis.com"

_ROWS: Final = (
    _row(0, "Unknown", ""),
    _responding(_row(1, "OpenAI", "OpenAI", "openai", "https://api.openai.com", paths.openai_or_gateway)),
    _row(2, "API2D", "代理：API2D", "openai", "https://oa.api2d.net"),
    _row(3, "Azure", "Azure", "azure", "", paths.azure, auth="api-key"),
    _row(4, "CloseAI", "代理：CloseAI", "openai", "https://api.closeai-proxy.xyz"),
    _row(5, "OpenAISB", "代理：OpenAI-SB", "openai", "https://api.openai-sb.com"),
    _row(6, "OpenAIMax", "代理：OpenAI Max", "openai", "https://api.openaimax.com"),
    _row(7, "OhMyGPT", "代理：OhMyGPT", "openai", "https://api.ohmygpt.com"),
    _row(8, "Custom", "自定义渠道"),
    _row(9, "Ails", "代理：AI.LS", "openai", "https://api.caipacity.com"),
    _row(10, "AIProxy", "代理：AI Proxy", "openai", "https://api.aiproxy.io"),
    _other(11, "PaLM", "PaLM2", "google palm", _GOOGLE, "palm", paths.gone(_PALM_GONE)),
    _row(12, "API2GPT", "代理：API2GPT", "openai", "https://api.api2gpt.com"),
    _row(13, "AIGC2D", "代理：AIGC2D", "openai", "https://api.aigc2d.com"),
    _anthropic(14, "Anthropic", "Anthropic", "anthropic", "https://api.anthropic.com"),
    _other(15, "Baidu", "百度文心千帆", "baidu", "https://aip.baidubce.com", "baidu"),
    replace(_row(16, "Zhipu", "智谱 ChatGLM", "zhipu", "https://open.bigmodel.cn", _ZHIPU), faults=faults.ZHIPU),
    replace(
        _other(17, "Ali", "阿里通义千问", "ali", "https://dashscope.aliyuncs.com", "dashscope", paths.dashscope),
        faults=faults.ali,
        streaming=((b"x-dashscope-sse", b"enable"),),
        configured=((b"x-dashscope-plugin", "plugin"),),
    ),
    _other(18, "Xunfei", "讯飞星火认知", "xunfei", "", "xunfei"),
    _row(19, "AI360", "360 智脑", "360", "https://ai.360.cn"),
    _responding(_row(20, "OpenRouter", "OpenRouter", "openrouter", "https://openrouter.ai/api", headers=_OPENROUTER)),
    _other(21, "AIProxyLibrary", "知识库：AI Proxy", "aiproxy", "https://api.aiproxy.io", "aiproxy", _LIBRARY),
    _row(22, "FastGPT", "知识库：FastGPT", "openai", "https://fastgpt.run/api/openapi"),
    _other(23, "Tencent", "腾讯混元", "tencent", "https://hunyuan.tencentcloudapi.com", "tencent"),
    _gemini(24, "Gemini", "Gemini", "google gemini", _GOOGLE),
    _row(25, "Moonshot", "Moonshot AI", "moonshot", "https://api.moonshot.cn"),
    _row(26, "Baichuan", "百川大模型", "baichuan", "https://api.baichuan-ai.com"),
    _row(27, "Minimax", "MiniMax", "minimax", "https://api.minimax.chat", _MINIMAX),
    _row(28, "Mistral", "Mistral AI", "mistralai", "https://api.mistral.ai"),
    _responding(_row(29, "Groq", "Groq", "groq", "https://api.groq.com/openai")),
    _other(30, "Ollama", "Ollama", "ollama", "http://localhost:11434", "ollama", _OLLAMA),
    _row(31, "LingYiWanWu", "零一万物", "lingyiwanwu", "https://api.lingyiwanwu.com"),
    _row(32, "StepFun", "阶跃星辰", "stepfun", "https://api.stepfun.com"),
    Provider(
        id=33,
        key="AwsClaude",
        name="AWS",
        owned_by="aws",
        base_url="",
        wires=("bedrock", "converse"),
        speaks=clouds.bedrock_speaks,
        path=clouds.bedrock,
        home=clouds.bedrock_home,
        auth="aws",
        key_parts=("ak", "sk", "region"),
    ),
    replace(_other(34, "Coze", "Coze", "coze", "https://api.coze.com", "coze", _COZE), faults=faults.COZE),
    _other(35, "Cohere", "Cohere", "Cohere", "https://api.cohere.ai", "cohere", _COHERE),
    _row(36, "DeepSeek", "DeepSeek", "deepseek", "https://api.deepseek.com"),
    replace(
        _row(37, "Cloudflare", "Cloudflare", "cloudflare", _CLOUDFLARE, paths.workers_ai), faults=faults.CLOUDFLARE
    ),
    replace(
        _other(38, "DeepL", "DeepL", "deepl", "https://api-free.deepl.com", "deepl", _DEEPL),
        auth="deepl-auth-key",
        faults=faults.DEEPL,
    ),
    _row(39, "TogetherAI", "together.ai", "together.ai", "https://api.together.xyz"),
    _row(40, "Doubao", "字节火山引擎", "doubao", "https://ark.cn-beijing.volces.com", _DOUBAO),
    _row(41, "Novita", "Novita", "novita", "https://api.novita.ai/v3/openai", _NOVITA),
    Provider(
        id=42,
        key="VertextAI",
        name="VertexAI",
        owned_by="vertexai",
        base_url="",
        wires=("vertex", "gemini"),
        speaks=clouds.vertex_speaks,
        path=clouds.vertex,
        home=clouds.vertex_home,
        auth="google",
        key_parts=("region", "vertex_ai_project_id", "vertex_ai_adc"),
    ),
    _other(43, "Proxy", "Proxy", "proxy", "", "proxy"),
    _row(44, "SiliconFlow", "SiliconFlow", "siliconflow", "https://api.siliconflow.cn"),
    _responding(_row(45, "XAI", "xAI", "xai", "https://api.x.ai")),
    _other(46, "Replicate", "Replicate", "replicate", "https://api.replicate.com/v1/models/", "replicate"),
    _row(47, "BaiduV2", "百度文心千帆 V2", "baiduv2", "https://qianfan.baidubce.com", _BAIDU_V2),
    _row(48, "XunfeiV2", "讯飞星火认知 V2", "xunfeiv2", "https://spark-api-open.xf-yun.com"),
    _row(49, "AliBailian", "阿里云百炼", "alibailian", "https://dashscope.aliyuncs.com", _BAILIAN),
    _row(50, "OpenAICompatible", "OpenAI 兼容", "openai", "", paths.versionless),
    _row(51, "GeminiOpenAICompatible", "Gemini (OpenAI)", "geminiv2", f"{_GOOGLE}/v1beta/openai/", paths.versionless),
)
PROVIDERS: Final[Mapping[int, Provider]] = MappingProxyType({row.id: row for row in _ROWS})


def provider(channel_type: int) -> Provider:
    """The row of a channel type; one that nobody knows is like One API's Unknown, OpenAI without an address."""
    return PROVIDERS.get(channel_type, PROVIDERS[0])
