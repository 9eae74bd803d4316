def charge(amount: int = ..., metadata: dict[str, str] = ..., expand: list[str] = ...) -> dict[str, Any]:
    """POST /charges."""

class Payment(TypedDict):
    kind: Literal['card']
    last4: NotRequired[str]

class CreateOrderPayment(TypedDict):
    kind: Literal['cash']

class NewOrder(TypedDict):
    id: NotRequired[int]
    note: NotRequired[str | None]  # For the driver.
    customer: str  # at least 1 character
    password: NotRequired[str]
    weight: NotRequired[float]  # more than 0
    replaces: NotRequired[NewOrder]
    parent: NotRequired[NewOrder | None]
    payment: NotRequired[Payment | CreateOrderPayment]

class NewOrder2(TypedDict):
    id: int
    note: NotRequired[str | None]  # For the driver.
    customer: str  # at least 1 character
    password: NotRequired[str]
    weight: NotRequired[float]  # more than 0
    replaces: NotRequired[NewOrder2]
    parent: NotRequired[NewOrder2 | None]
    payment: NotRequired[Payment | CreateOrderPayment]

def createOrder(customer: str, X_Trace: str = ..., note: str | None = ..., password: str = ..., weight: float = ..., replaces: NewOrder = ...) -> NewOrder2 | None:
    """Creates an order.

    Args:
        customer: at least 1 character
        note: For the driver.
        weight: more than 0
    """

def delete_orders_id(id: str) -> Any:
    """DELETE /orders/{id}.

    Deprecated.

    Args:
        id: The order's number.
    """

class Payment(TypedDict):
    kind: Literal['card']
    last4: NotRequired[str]

class GetOrderPayment(TypedDict):
    kind: Literal['cash']

class NewOrder(TypedDict):
    id: int
    note: NotRequired[str | None]  # For the driver.
    customer: str  # at least 1 character
    password: NotRequired[str]
    weight: NotRequired[float]  # more than 0
    replaces: NotRequired[NewOrder]
    parent: NotRequired[NewOrder | None]
    payment: NotRequired[Payment | GetOrderPayment]

def getOrder(id: str) -> NewOrder:
    """GET /orders/{id}.

    Args:
        id: The order's number.
    """

Range = TypedDict('Range', {
    'from': NotRequired[int],
    'to': NotRequired[int],
})

class Payment(TypedDict):
    kind: Literal['card']
    last4: NotRequired[str]

class ListOrdersPayment(TypedDict):
    kind: Literal['cash']

class NewOrder(TypedDict):
    id: int
    note: NotRequired[str | None]  # For the driver.
    customer: str  # at least 1 character
    password: NotRequired[str]
    weight: NotRequired[float]  # more than 0
    replaces: NotRequired[NewOrder]
    parent: NotRequired[NewOrder | None]
    payment: NotRequired[Payment | ListOrdersPayment]

def listOrders(limit: int = 20, status: list[Literal['open', 'paid', 'sent, really']] = ..., skip_ids: list[int] = ..., tags: list[str] = ..., words: list[str] = ..., filter: dict[str, Any] = ..., free: dict[str, str] = ..., range: Range = ..., callback: str = ..., where: dict[str, Any] = ..., X_Flags: list[str] = ..., session: str = ..., X_Trace: str = ...) -> list[NewOrder]:
    """Lists orders.

    Newest first.

    Args:
        limit: At most so many. (1 to 100)
    """

def putRaw(body: bytes | str) -> int:
    """PUT /raw.

    Args:
        body: Sent as application/octet-stream.
    """

class Payment(TypedDict):
    kind: Literal['card']
    last4: NotRequired[str]

class ReplaceOrderPayment(TypedDict):
    kind: Literal['cash']

class NewOrder(TypedDict):
    id: NotRequired[int]
    note: NotRequired[str | None]  # For the driver.
    customer: str  # at least 1 character
    password: NotRequired[str]
    weight: NotRequired[float]  # more than 0
    replaces: NotRequired[NewOrder]
    parent: NotRequired[NewOrder | None]
    payment: NotRequired[Payment | ReplaceOrderPayment]

def replaceOrder(id: str, request_body: NewOrder | str, query_id: int = ..., body: str = ...) -> Any:
    """PUT /orders/{id}.

    Args:
        id: The order's number.
    """

class Point(TypedDict):
    x: NotRequired[int]
    y: NotRequired[int]

def styles(point: Point, parts: list[str], list: list[str]) -> str:
    """GET /matrix{point}/label{parts}/{list}."""

def upload(photo: bytes | str, caption: str = ..., meta: dict[str, Any] = ...) -> Any:
    """POST /photos.

    Returns bytes (image/png).
    """

